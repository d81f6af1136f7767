"""The Plotly that browsers load: all of the wheel's, or where set-up could fetch it the third of it that we draw with.

The wheel brings Plotly whole (4.8 MB of script, most of it for maps, 3D and finance), which is most of what a page with
a figure costs a browser that opens it for the first time. Plotly publishes the same version with the kinds of plot that
have two axes alone, on npm, under the same licence (MIT). `python -m dashboard.bundle` puts it into the ignored folder
`dashboard/bundles/`; `make` does so once. Without it nothing is missing, pages with figures are slower to open.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import flask
from plotly.offline import get_plotlyjs_version

ADDRESS = "/_dash-component-suites/plotly/package_data/plotly.min.js"  # where Dash's graphs ask for Plotly
BUNDLES = Path(__file__).parent / "bundles"
PACKAGE = "plotly.js-cartesian-dist-min"
MEMBER = "package/plotly-cartesian.min.js"
SHA512 = {  # of the package by its version, so that only what we have looked at is served
    "4.1.1": "o8GrFeusncwBIxbBynRJpY4pkgVB6caM+JLpwrLYbbsO7dZ8FJ+SVN2Fr+L7kiG/Z6w4P5O0Jus/Qr5EefHVeg==",
}
PATIENCE_S = 120


def bundle() -> Path:
    """Where the smaller Plotly lies once it was fetched, in the version that the Python package speaks to."""
    return BUNDLES / f"plotly-cartesian-{get_plotlyjs_version()}.min.js"


def serve_smaller(server: flask.Flask) -> None:
    """Answers with the smaller Plotly where Dash would send the whole, if it was there when the server started."""
    path = bundle()
    if path.exists():
        server.add_url_rule(ADDRESS, "plotly", lambda: flask.send_file(path, mimetype="text/javascript"))


def fetch() -> str:
    """Fetches the smaller Plotly by npm unless it is there. Returns what became of it, in a sentence; never fails."""
    version = get_plotlyjs_version()
    if bundle().exists():
        return f"The smaller Plotly {version} is there."
    npm = shutil.which("npm")
    if npm is None or version not in SHA512:
        why = "npm is not here" if npm is None else f"its checksum for Plotly {version} is not known to us"
        return f"Pages load Plotly whole: {why}."
    try:
        with tempfile.TemporaryDirectory() as folder:
            unpack(_packed(npm, version, Path(folder)), SHA512[version], bundle())
    except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError, ValueError) as error:
        return f"Pages load Plotly whole: the smaller one could not be fetched ({type(error).__name__}: {error})."
    return f"Fetched the smaller Plotly {version}: pages with figures open sooner."


def _packed(npm: str, version: str, folder: Path) -> Path:
    """The package as npm stores it, downloaded into a folder."""
    asked = [npm, "pack", f"{PACKAGE}@{version}", "--silent", "--fetch-retries=0", "--pack-destination", str(folder)]
    subprocess.run(asked, check=True, cwd=folder, timeout=PATIENCE_S, capture_output=True)
    return folder / f"{PACKAGE}-{version}.tgz"


def unpack(package: Path, sha512: str, path: Path) -> None:
    """Writes the script in a package to `path`. Raises ValueError where the package's SHA-512 (base64) is another."""
    found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if found != sha512:
        raise ValueError(f"{package.name} is not the package we know")
    with tarfile.open(package) as archive:
        member = archive.extractfile(MEMBER)
        script = member.read() if member else b""
    path.parent.mkdir(exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(script)
    part.replace(path)


if __name__ == "__main__":
    sys.stdout.write(fetch() + "\n")
