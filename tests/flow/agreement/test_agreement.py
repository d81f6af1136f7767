"""Every fast engine against NUTS on real leagues, in one table; pytest -s prints it.

What a fast engine may differ by is the same for all leagues, or what the halves of NUTS's own draws differ by where that
is more.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from modeling.agreement import Agreement, agree, drawn_of

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(14_400)]

MEANS, MEANS_P99, SD_RATIO, SCALES, CHANCES = 0.10, 0.04, (0.93, 1.07), 0.10, 0.03
