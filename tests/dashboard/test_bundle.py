"""The smaller Plotly: fetched only as we know it, served where it is there, and enough for every figure."""

import base64
import hashlib
import io
import re
import tarfile
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs_version

from dashboard import bundle
from dashboard.app import build_app
from store.home import Home

DRAWN = {"Figure", "Scatter", "Bar", "Heatmap"}  # what the cartesian bundle has, of what we use


@pytest.fixture
def bundles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the one where the bundle lies."""
    monkeypatch.setattr(bundle, "BUNDLES", tmp_path / "bundles")
    return tmp_path / "bundles"


def packed(path: Path, script: bytes) -> str:
    """Writes a package like npm's and returns its checksum."""
    with tarfile.open(path, "w:gz") as archive:
        about = tarfile.TarInfo(bundle.MEMBER)
        about.size = len(script)
        archive.addfile(about, io.BytesIO(script))
    return base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


def test_the_package_of_the_plotly_that_is_installed_is_known() -> None:
    assert get_plotlyjs_version() in bundle.SHA512


def test_every_figure_is_of_what_the_smaller_plotly_draws() -> None:
    room = Path(bundle.__file__).parent
    used = {name for path in room.rglob("*.py") for name in re.findall(r"\bgo\.([A-Z]\w+)", path.read_text())}
    assert {"Scatter", "Heatmap"} < used <= DRAWN


def test_a_package_is_unpacked_only_where_it_is_the_one_we_know(bundles: Path, tmp_path: Path) -> None:
    package = tmp_path / "plotly.tgz"
    known = packed(package, b"smaller")
    with pytest.raises(ValueError, match="not the package we know"):
        bundle.unpack(package, "A" + known[1:], bundle.bundle())
    assert not bundles.exists()
    bundle.unpack(package, known, bundle.bundle())
    assert [path.read_bytes() for path in bundles.iterdir()] == [b"smaller"]


def test_what_keeps_the_smaller_one_away_is_said_and_fails_nothing(
    bundles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle.shutil, "which", lambda _: None)
    assert bundle.fetch() == "Pages load Plotly whole: npm is not here."
    monkeypatch.setattr(bundle.shutil, "which", lambda _: "/no/such/npm")
    assert "could not be fetched (FileNotFoundError" in bundle.fetch()
    monkeypatch.setattr(bundle, "SHA512", {})
    assert "checksum" in bundle.fetch() and not bundles.exists()


def test_graphs_get_the_smaller_one_where_it_is_there_else_the_whole(bundles: Path, tmp_path: Path) -> None:
    whole = build_app(Home(tmp_path)).server.test_client().get(bundle.ADDRESS)
    assert whole.status_code == 200 and len(whole.data) > 3_000_000
    bundles.mkdir()
    bundle.bundle().write_bytes(b"smaller")
    smaller = build_app(Home(tmp_path)).server.test_client().get(bundle.ADDRESS)
    assert smaller.data == b"smaller" and smaller.headers["ETag"] and smaller.headers["Cache-Control"] == "no-cache"
    assert smaller.mimetype == "text/javascript" and "script-src" in smaller.headers["Content-Security-Policy"]
