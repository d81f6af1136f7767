"""Doors to the models: describe, compare."""

import json
import textwrap
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from jobs.console import say, working
from jobs.doors import Engine, example, home_of, utc_now
from store.errors import PooltableError

if TYPE_CHECKING:
    from modeling.describe import Section, Table
    from store.home import Home
    from store.stanzas import Stanza

WIDTH = 100
INDENT = "  "


def register(app: typer.Typer) -> None:
    """Hangs these doors into the command."""
    app.command(epilog=example("pooltable describe international_football"))(describe)
    app.command(epilog=example("""pooltable compare demo_football --with 'likelihood = "negative_binomial"'"""))(
        compare
    )


League = Annotated[str, typer.Argument(metavar="LEAGUE", help="The league's name.")]
With = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="SETTINGS",
        help="A variant of the stanza: what differs, as in leagues.toml, `;` between settings; may be repeated.",
    ),
]


def describe(
    ctx: typer.Context,
    league: League,
    shape: Annotated[Literal["text", "json"], typer.Option("--format", help="For people, or for programs.")] = "text",
) -> None:
    """Print a league's model in words and in mathematics, with its priors, before any fit of it."""
    home = home_of(ctx)
    stanza = _rated(home, league)
    with working(f"describe {league}"):
        from modeling.describe import describe as described
        from modeling.fit import design_of  # only now: it takes seconds

        games, design = design_of(home, league, stanza, None)
    if shape == "json":
        say(json.dumps({"league": league, "games": design.games, "as_of": str(games.as_of), **design.as_json()}))
        return
    say(f"{stanza.title} ({league})\n{page(described(games, design, stanza))}")


def compare(
    ctx: typer.Context,
    league: League,
    variants: With = None,
    engine: Engine = "auto",
    method: Annotated[
        Literal["auto", "loo", "lfo"],
        typer.Option(help="How games are forecast: loo from all the others, lfo from earlier ones."),
    ] = "auto",
) -> None:
    """Compare models of a league by how well they forecast its games: ways of pooling, or variants of its stanza."""
    home = home_of(ctx)
    stanza = _rated(home, league)
    with working(f"compare {league}") as report:
        from modeling.compare import compare_models  # only now: it takes seconds
        from modeling.variants import variants_of

        asked = variants_of(league, stanza, variants or [])
        found = compare_models(home, league, asked, utc_now(), engine=engine, method=method, report=report)
    from jobs.comparisons import compared

    say(compared(found.rows.to_dicts(), found.influential.to_dicts()))


def _rated(home: "Home", league: str) -> "Stanza":
    """The stanza of a league that is rated."""
    from store.stanzas import choose

    stanza = choose(home, [league])[league]
    if not stanza.rate:
        raise PooltableError(
            f"{league} is loaded and not rated: it has rate = [] in {home.leagues_toml}, and no model.",
            'To rate it, set rate = ["team"], ["player"] or both there.',
        )
    return stanza


def page(sections: "list[Section]") -> str:
    """The sections as text of at most 100 columns."""
    return "\n".join(f"\n{section.title}\n{_body(section)}" for section in sections)


def _body(section: "Section") -> str:
    lines = [_wrapped(text, "- ") if len(section.paragraphs) > 1 else _wrapped(text) for text in section.paragraphs]
    lines += [_wrapped(text, hanging="    ") for text in section.formulas]
    if section.table:
        lines.append(textwrap.indent(_table(section.table), INDENT))
    return "\n".join(lines)


def _wrapped(text: str, mark: str = "", hanging: str = "") -> str:
    later = INDENT + (hanging or " " * len(mark))
    return textwrap.fill(text, WIDTH, initial_indent=INDENT + mark, subsequent_indent=later, break_on_hyphens=False)


def _table(table: "Table") -> str:
    """The table with its last column wrapped to what is left of the width."""
    from jobs.formats import aligned

    taken = sum(max(map(len, column)) + 2 for column in list(zip(table.names, *table.rows, strict=True))[:-1])
    room = max(WIDTH - len(INDENT) - taken, 20)
    rows = []
    for row in table.rows:
        first, *more = textwrap.wrap(row[-1], room) or [""]
        rows += [(*row[:-1], first), *((*("",) * (len(row) - 1), line) for line in more)]
    return aligned(table.names, rows, [name == "levels" for name in table.names])
