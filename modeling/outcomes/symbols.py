"""PyTensor's tensor functions, without the types that its checker-unfriendly signatures claim."""

from typing import Any

import pytensor.tensor

pt: Any = pytensor.tensor
