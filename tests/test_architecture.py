"""The walls between the rooms, and the size of what is in them."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent
ROOMS = ("store", "ingest", "modeling", "dashboard", "jobs")
ALLOWED = {
    "store": set(),
    "ingest": {"store"},
    "modeling": {"store"},
    "dashboard": {"store"},
    "jobs": {"store", "ingest", "modeling", "dashboard"},
}
MODELLING_LIBRARIES = {"pymc", "nutpie", "arviz", "pytensor"}
LONGEST_FUNCTION = 60
LONGEST_FILE = 400
FILES = sorted(path for room in ROOMS for path in (CHECKOUT / room).rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def imports(source: str) -> set[str]:
    """The top-level packages that a file imports, anywhere in it, by statement or by importlib."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(module), level=0):
                found.add(module.partition(".")[0])
            case ast.Call(func=ast.Attribute(attr="import_module"), args=[ast.Constant(value=str(module)), *_]):
                found.add(module.partition(".")[0])
    return found


def test_imports_are_found_wherever_they_are():
    source = "import a.b\ndef f():\n    from c.d import e\n    importlib.import_module('g.h')\n"
    assert imports(source) == {"a", "c", "g"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_the_rooms_below_it(room):
    for path in (CHECKOUT / room).rglob("*.py"):
        wrong = (imports(path.read_text()) & set(ROOMS)) - {room} - ALLOWED[room]
        assert not wrong, f"{named(path)} imports {wrong}"


def test_rooms_are_imported_from_the_top_only():
    relative = [
        named(path)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    assert not relative, "relative imports hide an arrow from these tests"


def test_the_web_process_never_imports_modelling_libraries():
    for path in [*(CHECKOUT / "dashboard").rglob("*.py"), *(CHECKOUT / "store").rglob("*.py")]:
        assert not imports(path.read_text()) & MODELLING_LIBRARIES, named(path)


def top_level_imports(path: Path) -> set[str]:
    """What importing the file imports at once: statements outside functions and outside TYPE_CHECKING."""
    kept = [
        node
        for node in ast.parse(path.read_text()).body
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
    ]
    found = set()
    for node in kept:
        if isinstance(node, ast.Import | ast.ImportFrom):
            found |= imports(ast.unparse(node))
    return found


def test_jobs_opens_the_other_rooms_only_when_a_command_is_called():
    for path in (CHECKOUT / "jobs").rglob("*.py"):
        assert not top_level_imports(path) & {"ingest", "modeling", "dashboard"}, named(path)


def selects(path: Path) -> bool:
    """True where a string of the file, docstrings apart, reads like a query; INSERT … BY NAME SELECT writes."""
    tree = ast.parse(path.read_text())
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose
    ]
    return any(re.search(r"(?<!BY NAME )\bSELECT\b.*\bFROM\b", text, re.DOTALL) for text in texts)


def test_only_two_files_of_modeling_read_the_warehouse():
    files = sorted((CHECKOUT / "modeling").rglob("*.py"))
    assert [named(path) for path in files if selects(path)] == ["modeling/earlier.py", "modeling/games.py"]


def test_no_function_is_longer_than_a_screen():
    long = [
        f"{named(path)}:{node.lineno} {node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert not long


def test_no_file_is_too_long_to_read():
    long = [f"{named(path)} ({lines})" for path in FILES if (lines := path.read_text().count("\n")) > LONGEST_FILE]
    assert not long


def test_every_package_is_listed_for_installation():
    listed = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {str(path.parent.relative_to(CHECKOUT)).replace("/", ".") for path in FILES}
    assert there == set(listed)


def test_every_folder_with_code_is_a_package():
    assert not [named(path.parent) for path in FILES if not (path.parent / "__init__.py").exists()]
