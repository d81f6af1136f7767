"""The door to SQL: one query on an edition, or what there is to ask about."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Literal

import typer

from jobs.console import say
from jobs.doors import example, home_of
from store.errors import UsageError

if TYPE_CHECKING:
    from store.home import Home

type Format = Literal["table", "csv", "json", "parquet", "arrow"]
ENDINGS: dict[str, Format] = {
    "": "table",
    ".txt": "table",
    ".csv": "csv",
    ".json": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
}
BINARY = ("parquet", "arrow")


def register(app: typer.Typer) -> None:
    """Hangs this door into the command."""
    app.command(epilog=example('pooltable sql "FROM leaderboard WHERE rank <= \\$n ORDER BY rank" -p n=10'))(sql)


def sql(
    ctx: typer.Context,
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help='One SELECT; "-" reads it from stdin.')] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", metavar="FILE", help="A file with the query.")] = None,
    form: Annotated[Format | None, typer.Option("--format", help="Output; default: FILE's ending, or table.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help='Where to write it; "-" is stdout.')
    ] = None,
    edition: Annotated[str | None, typer.Option(metavar="EDITION", help="An older edition.")] = None,
    parameter: Annotated[list[str] | None, typer.Option("-p", metavar="K=V", help="A value for $K.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Tables, columns and macros instead of a query.")] = False,
) -> None:
    """Ask the current edition in SQL."""
    if sum((query is not None, file is not None, schema)) != 1:
        raise UsageError("Give one query, --file or --schema.", 'For example: pooltable sql "FROM leaderboard LIMIT 5"')
    output = None if output == Path("-") else output
    form = form or _form(output)
    if form in BINARY and output is None and sys.stdout.isatty():
        raise UsageError(f"{form.title()} is not for a terminal.", f"Send it to a file: --output file.{form}")
    parameters = _parameters(parameter or [])
    path = _edition(home_of(ctx), edition)
    if schema and form == "table" and output is None:
        _say_schema(path)
        return
    with _opened(output) as out:
        _write(path, _text(query, file, schema), parameters, form, out)


def _form(output: Path | None) -> Format:
    """The format that the ending of a file says. Raises UsageError for an ending that says another."""
    ending = output.suffix.lower() if output else ""
    if ending not in ENDINGS:
        known = ", ".join(ending for ending in ENDINGS if ending)
        raise UsageError(f"{output} would be no {ending} file.", f"Give it one of {known}, or say --format.")
    return ENDINGS[ending]


def _edition(home: "Home", name: str | None) -> Path:
    from store.edition import current, editions

    if name is None:
        return current(home)
    kept = {path.stem: path for path in editions(home)}
    if name not in kept:
        raise UsageError(f'There is no edition "{name}".', f"Kept editions: {', '.join(kept) or 'none'}.")
    return kept[name]


def _text(query: str | None, file: Path | None, schema: bool) -> str:
    """The query, from wherever it is. Raises UsageError for a file that cannot be read."""
    if schema:
        from store.query import SCHEMA

        return SCHEMA
    if query == "-":
        return _utf8(typer.get_binary_stream("stdin").read(), "Standard input")
    if file is None:
        return _utf8(os.fsencode(query or ""), "The query")
    try:
        return _utf8(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}.", "Give a file with one query.") from error


def _utf8(text: bytes, where: str) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{where} is no UTF-8 text: byte {error.start + 1}.", "Save it as UTF-8.") from error


def _parameters(pairs: list[str]) -> dict[str, str]:
    wrong = [pair for pair in pairs if "=" not in pair]
    if wrong:
        raise UsageError(f'"{wrong[0]}" is not name=value.', "For example: -p league_name=demo_football")
    texts = [_utf8(os.fsencode(pair), "A value") for pair in pairs]
    values = [(name, value) for name, _, value in (text.partition("=") for text in texts)]
    names = [name for name, _ in values]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f'"{twice[0]}" is given twice.', "Give one value for each name.")
    return dict(values)


def _write(path: Path, text: str, parameters: dict[str, str], form: Format, out: IO[bytes]) -> None:
    """Writes the answer of the edition at `path` to a binary file."""
    if form == "table":
        from jobs.formats import as_table
        from store.query import query

        out.write(as_table(query(path, text, parameters, as_text=True), _terminal_width(out)).encode() + b"\n")
        return
    from store.answer import Question, answer
    from store.query import open_edition

    con = open_edition(path)
    try:
        answer(con, Question(text, parameters, form), out.write)
        out.write(b"\n" if form == "json" else b"")
    finally:
        con.close()


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    """Standard output, or a file that is there only when the block has ended well; devices are written as they are.

    Raises UsageError where its folder is not there.
    """
    if output is None:
        yield typer.get_binary_stream("stdout")
        return
    if not output.parent.is_dir():
        raise UsageError(f"There is no folder {output.parent} to write {output.name} into.", "Make it first.")
    is_device = output.exists() and not output.is_file()
    part = output if is_device else output.with_name(f"{output.name}.part")
    try:
        with part.open("wb") as out:
            yield out
        if not is_device:
            part.replace(output)
    except BaseException:
        if not is_device:
            part.unlink(missing_ok=True)
        raise


def _say_schema(path: Path) -> None:
    """Writes each table with its sentence, its columns indented below."""
    from store.query import schema

    for row in schema(path).iter_rows(named=True):
        comment = row["comment"] or ""
        if row["column_name"]:
            say(f"    {row['column_name']:<24} {row['type']:<14} {comment}")
        else:
            say(f"\n{row['object']} {row['name']}{row['type'] or ''}: {comment}")


def _terminal_width(out: IO[bytes]) -> int | None:
    import shutil

    return shutil.get_terminal_size().columns if out.isatty() else None
