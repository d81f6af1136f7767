"""What people were told of a home that cannot be used, kept outside of it: a file in the temporary folder.

Whoever looks next, another process or another night, reads there that it is no news; and the run history gets it as
soon as it can be written again.
"""

import json
import logging
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile, gettempdir

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Told:
    """Why the home cannot be used, since when (as the run history writes times), and the channels that took it."""

    message: str
    began_at: str
    channels: tuple[str, ...] = ()


class Mark:
    """The mark of one home. Where the temporary folder cannot be written either, this process alone remembers."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unwritten: Told | None = None

    def read(self) -> Told | None:
        """What was told and is not over; None where nothing was. What another user put there is not believed."""
        if self.unwritten:
            return self.unwritten
        try:
            path = self._path()
            if path.lstat().st_uid != os.getuid():
                return None
            found = json.loads(path.read_text(encoding="utf-8"))
            return Told(str(found["message"]), str(found["began_at"]), tuple(found["channels"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def keep(self, told: Told) -> None:
        """Writes down what was told."""
        self.unwritten = None
        try:
            path = self._path()
            with NamedTemporaryFile("w", dir=path.parent, prefix=path.name, encoding="utf-8", delete=False) as file:
                json.dump(asdict(told), file)
            Path(file.name).replace(path)
        except OSError as error:
            log.warning("what was told of the home is remembered by this process alone: %s", error)
            self.unwritten = told

    def remove(self) -> None:
        """It is over."""
        self.unwritten = None
        with suppress(OSError):
            self._path().unlink(missing_ok=True)

    def _path(self) -> Path:
        """Its file, one for each user and home. Raises OSError where there is no temporary folder to write to."""
        key = sha256(str(self.root.resolve()).encode()).hexdigest()[:16]
        return Path(gettempdir()) / f"pooltable-{os.getuid()}-{key}.json"
