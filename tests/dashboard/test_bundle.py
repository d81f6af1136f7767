"""Smaller scripts: fetched only as we know them, served where they are there; the smaller Plotly draws every figure."""

import base64
import hashlib
import io
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs_version

from dashboard import bundle
from dashboard.app import build_app
from dashboard.bundle import PLOTLY, POLYFILL, Smaller
from store.home import Home

DRAWN = {"Figure", "Scatter", "Bar", "Heatmap"}  # what the cartesian bundle has, of what we use


@pytest.fixture
def bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the one where the scripts lie."""
    monkeypatch.setattr(bundle, "BUNDLES", tmp_path / "bundles")
    return tmp_path / "bundles"


def packed(path: Path, text: bytes) -> str:
    """Writes a package like npm's with Plotly in it, and returns its checksum."""
    with tarfile.open(path, "w:gz") as archive:
        about = tarfile.TarInfo(PLOTLY.member)
        about.size = len(text)
        archive.addfile(about, io.BytesIO(text))
    return base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def test_the_package_of_the_plotly_that_is_installed_is_known() -> None:
    assert PLOTLY.version == get_plotlyjs_version() and PLOTLY.sha512


def test_every_figure_is_of_what_the_smaller_plotly_draws() -> None:
    room = Path(bundle.__file__).parent
    used = {name for path in room.rglob("*.py") for name in re.findall(r"\bgo\.([A-Z]\w+)", path.read_text())}
    assert {"Scatter", "Heatmap"} < used <= DRAWN


def test_a_package_is_unpacked_only_where_it_is_the_one_we_know(bundles: Path, tmp_path: Path) -> None:
    package = tmp_path / "plotly.tgz"
    known = packed(package, b"smaller")
    with pytest.raises(ValueError, match="not the package we know"):
        bundle.unpack(replace(PLOTLY, sha512="A" + known[1:]), package)
    assert not bundles.exists()
    bundle.unpack(replace(PLOTLY, sha512=known), package)
    assert [path.read_bytes() for path in bundles.iterdir()] == [b"smaller"]


def test_what_keeps_the_smaller_one_away_is_said_and_fails_nothing(
    bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle.shutil, "which", lambda _: None)
    assert bundle.fetch(POLYFILL) == "Pages load Babel's polyfill whole: npm is not here."
    monkeypatch.setattr(bundle.shutil, "which", lambda _: "/no/such/npm")
    assert "did not come (FileNotFoundError" in bundle.fetch(PLOTLY)
    assert "checksum" in bundle.fetch(replace(PLOTLY, sha512=None)) and not bundles.exists()


@pytest.mark.parametrize("script", [PLOTLY, POLYFILL], ids=lambda script: script.name)
def test_pages_get_the_smaller_one_where_it_is_there_else_the_whole(
    bundles: Path, tmp_path: Path, script: Smaller
) -> None:
    address = asked_for(script, tmp_path)
    whole = build_app(Home(tmp_path)).server.test_client().get(address)
    assert whole.status_code == 200 and len(whole.data) > 90_000
    bundles.mkdir()
    script.path.write_bytes(b"smaller")
    smaller = build_app(Home(tmp_path)).server.test_client().get(address)
    assert smaller.data == b"smaller" and smaller.headers["ETag"] and smaller.mimetype == "text/javascript"
    assert smaller.headers["Cache-Control"] == whole.headers["Cache-Control"]
    assert "script-src" in smaller.headers["Content-Security-Policy"]


def asked_for(script: Smaller, home: Path) -> str:
    """The address by which a browser asks for the larger script: the polyfill's is in the page, with its version."""
    if script is PLOTLY:
        return script.address
    page = build_app(Home(home)).server.test_client().get("/").text
    return next(part for part in page.split('"') if part.startswith(script.address.partition("<")[0]))
