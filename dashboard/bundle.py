"""What browsers load in the place of larger scripts that the wheels bring, where set-up could fetch it by npm.

Plotly comes whole (4.8 MB of script, most of it for maps, 3D and finance), which is most of what a page with a figure
costs a browser that opens it for the first time. Plotly publishes the same version with the kinds of plot that have two
axes alone. Dash loads Babel's polyfill before anything else: 100 kB that teach browsers of before 2019 what all have by
now, and take the place of much that they have. Of it Dash needs the run-time of generators alone, which Babel's authors
publish too. Both packages are on npm, under the same licence (MIT). `python -m dashboard.bundle` puts them into the
ignored folder `dashboard/bundles/`; `make` does so once. Without them nothing is missing, pages are slower to open.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import flask
from plotly.offline import get_plotlyjs_version

SUITES = "/_dash-component-suites"
BUNDLES = Path(__file__).parent / "bundles"
PATIENCE_S = 120


@dataclass(frozen=True)
class Smaller:
    """A script in a package of npm's, and the address of the larger one that it takes the place of."""

    name: str
    """The larger one, in words."""
    address: str
    package: str
    version: str
    member: str
    sha512: str | None
    """Of the package (base64), so that only what we have looked at is served; None where it is not known."""

    @property
    def path(self) -> Path:
        """Where the script lies once it was fetched."""
        return BUNDLES / f"{self.package}-{self.version}.js"


SHA512 = {  # of Plotly's package, by the version that the Python package speaks to
    "4.1.1": "o8GrFeusncwBIxbBynRJpY4pkgVB6caM+JLpwrLYbbsO7dZ8FJ+SVN2Fr+L7kiG/Z6w4P5O0Jus/Qr5EefHVeg==",
}
PLOTLY = Smaller(
    "Plotly", f"{SUITES}/plotly/package_data/plotly.min.js", "plotly.js-cartesian-dist-min", get_plotlyjs_version(),
    "package/plotly-cartesian.min.js", SHA512.get(get_plotlyjs_version()),
)  # fmt: skip
POLYFILL = Smaller(
    "Babel's polyfill", f"{SUITES}/dash/deps/polyfill@<_>", "regenerator-runtime", "0.14.1", "package/runtime.js",
    "dYnhHh0nJoMfnkZs6GmmhFknAGRrLznOu5nc9ML+EJxGvrx6H7teuevqVqCuPcPK//3eDrrjQhehXVx9cnkGdw==",
)  # fmt: skip


def serve_smaller(server: flask.Flask) -> None:
    """Answers with the smaller script where Dash would send the larger, if it was there when the server started."""
    for script in (PLOTLY, POLYFILL):
        if script.path.exists():
            server.add_url_rule(script.address, script.package, _sending(script.path))


def _sending(path: Path) -> Callable[..., flask.Response]:
    return lambda **_: flask.send_file(path, mimetype="text/javascript")


def fetch(script: Smaller) -> str:
    """Fetches a script by npm unless it is there. Returns what became of it, in a sentence; never fails."""
    if script.path.exists():
        return f"{script.package} {script.version} is there."
    npm = shutil.which("npm")
    if npm is None or script.sha512 is None:
        why = "npm is not here" if npm is None else f"the checksum of {script.package} {script.version} is not known"
        return f"Pages load {script.name} whole: {why}."
    try:
        with tempfile.TemporaryDirectory() as folder:
            unpack(script, _packed(npm, script, Path(folder)))
    except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError, ValueError) as error:
        return f"Pages load {script.name} whole: {script.package} did not come ({type(error).__name__}: {error})."
    return f"Fetched {script.package} {script.version}: pages open sooner without the whole of {script.name}."


def _packed(npm: str, script: Smaller, folder: Path) -> Path:
    """The package as npm stores it, downloaded into a folder."""
    wanted = f"{script.package}@{script.version}"
    asked = [npm, "pack", wanted, "--silent", "--fetch-retries=0", "--pack-destination", str(folder)]
    subprocess.run(asked, check=True, cwd=folder, timeout=PATIENCE_S, capture_output=True)
    return folder / f"{script.package}-{script.version}.tgz"


def unpack(script: Smaller, package: Path) -> None:
    """Writes the script in a package to its path. Raises ValueError where the package's SHA-512 is another."""
    found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if found != script.sha512:
        raise ValueError(f"{package.name} is not the package we know")
    with tarfile.open(package) as archive:
        member = archive.extractfile(script.member)
        text = member.read() if member else b""
    script.path.parent.mkdir(exist_ok=True)
    part = script.path.with_suffix(".part")
    part.write_bytes(text)
    part.replace(script.path)


if __name__ == "__main__":
    sys.stdout.write("".join(f"{fetch(script)}\n" for script in (PLOTLY, POLYFILL)))
