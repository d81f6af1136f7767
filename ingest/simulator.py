"""The bundled leagues of `data/demo`, simulated with known true strengths; the same seed gives the same bytes.

Randomness is uniform numbers of a seeded generator only, turned into normals and Poissons by inverse distribution
functions here, and all true values are rounded before use: so neither numpy's samplers nor the machine matter.

`pooltable demo --regenerate data/demo` writes the folder again.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import NormalDist

import numpy as np

from store.home import CHECKOUT

DEMO = CHECKOUT / "data" / "demo"
SEED = 20251101
CLUB_SEED = 20251156  # somebody below the average has won all of five games: what a ranking of ratios would put on top
CLUBS = (
    "Averstow Town", "Bellmarrow", "Brackenholt United", "Calverine", "Carrowby Athletic", "Dunmerrow", "Eastrelle",
    "Fenwardine", "Garrodale Rovers", "Halvermoor", "Inverquill", "Jarrowmont", "Kestering", "Larkenshaw City",
    "Merrowick", "Nethercombe Vale", "Oakenstrand", "Pellinmouth", "Quarrendon Hill", "Ravelsby", "Silverhythe",
    "Thornavel", "Umbrascombe Wanderers", "Varrowgate", "Wexmarsh", "Yaldermoor",
)  # fmt: skip
TEAMS = ("Amber Foxes", "Blue Ferrymen", "Copper Hounds", "Green Lockkeepers", "Iron Otters", "Night Swifts",
         "Red Kilns", "Salt Harriers")  # fmt: skip
FIRST = ("Abelin", "Bavo", "Corvin", "Dario", "Elwick", "Farro", "Gellert", "Hanno")
MEMBERS = ("Agnes", "Bruno", "Carla", "Doran", "Edith", "Fabio", "Greta", "Henrik", "Irma", "Jonas", "Kirsten", "Lukas",
           "Marta", "Nils", "Olga", "Pavel", "Quirin", "Rosa", "Stefan", "Thea")  # fmt: skip
LAST = ("Brindle", "Castaro", "Dewhollow", "Ferrant", "Grosk", "Ilvane", "Morrowes", "Tarrick")


@dataclass(frozen=True)
class Strength:
    """A competitor's true attack and defence, log goals; positive is good in both."""

    name: str
    attack: float
    defence: float

    @property
    def total(self) -> float:
        """Attack and defence together."""
        return self.attack + self.defence


def write_demo(folder: Path) -> None:
    """Writes football/, stints/ and club/ of the folder: results and true strengths."""
    for name, files in {"football": football(SEED), "stints": stints(SEED + 1), "club": club(CLUB_SEED)}.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (folder / name / file).write_bytes(text.encode())


# Football: two divisions, three seasons.

DIVISION_SIZE, MOVERS, PLAYED_ROUNDS = 12, 2, 8
SEASONS = (("2023-24", date(2023, 8, 19)), ("2024-25", date(2024, 8, 17)), ("2025-26", date(2025, 8, 16)))
ATTACK_SD, DEFENCE_SD, HOME_ADVANTAGE, LOG_GOALS, WINTER_BREAK_DAYS = 0.28, 0.24, 0.25, 0.25, 42


def football(seed: int) -> dict[str, str]:
    """results.csv and truth.csv of the football league.

    Two clubs change places between the divisions each season, and one new club takes the place of the lower
    division's last; the newest has played only the rounds played of the season in progress.
    """
    rng = np.random.default_rng(seed)
    clubs = [_strength(rng, name, ATTACK_SD, DEFENCE_SD) for name in CLUBS]
    by_name = {club.name: club for club in clubs}
    started, admitted = clubs[: 2 * DIVISION_SIZE], [club.name for club in clubs[2 * DIVISION_SIZE :]]
    seeding = sorted(started, key=lambda club: -(club.total + 0.3 * _normal(rng)))
    names = [club.name for club in seeding]
    divisions = {"First Division": names[:DIVISION_SIZE], "Second Division": names[DIVISION_SIZE:]}
    rows: list[tuple[object, ...]] = []
    for number, (season, start) in enumerate(SEASONS):
        rounds_played = PLAYED_ROUNDS if number == len(SEASONS) - 1 else 2 * (DIVISION_SIZE - 1)
        played = [
            row
            for name, of in divisions.items()
            for row in _division(rng, season, start, name, of, by_name, rounds_played)
        ]
        rows += sorted(played, key=lambda row: (row[3], row[1]))
        if number < len(SEASONS) - 1:
            divisions = _moved(divisions, played, admitted[number])
    header = ("season", "division", "round", "date", "home", "away", "home_goals", "away_goals")
    return {"results.csv": _csv(header, rows), "truth.csv": _truth(clubs)}


def _division(
    rng: np.random.Generator,
    season: str,
    start: date,
    division: str,
    names: Sequence[str],
    clubs: dict[str, Strength],
    rounds_played: int,
) -> list[tuple[object, ...]]:
    """The rows of one division's season; rounds after `rounds_played` are fixtures without goals."""
    rows = []
    for number, pairs in enumerate(_double_round_robin(_shuffled(rng, names)), start=1):
        second_half = number > DIVISION_SIZE - 1
        day = start + timedelta(days=7 * (number - 1) + (WINTER_BREAK_DAYS if second_half else 0))
        for home, away in pairs:
            goals: tuple[object, object] = ("", "")
            if number <= rounds_played:
                goals = _goals(rng, clubs[home], clubs[away], LOG_GOALS, HOME_ADVANTAGE)
            rows.append((season, division, number, day.isoformat(), home, away, *goals))
    return rows


def _moved(
    divisions: dict[str, list[str]], played: Iterable[tuple[object, ...]], newcomer: str
) -> dict[str, list[str]]:
    """Next season's divisions: two up, two down, the lower division's last out and the newcomer in."""
    upper, lower = (_table(names, played) for names in divisions.values())
    first = upper[:-MOVERS] + lower[:MOVERS]
    second = upper[-MOVERS:] + lower[MOVERS:-1] + [newcomer]
    return dict(zip(divisions, (first, second), strict=True))


def _table(names: Sequence[str], played: Iterable[tuple[object, ...]]) -> list[str]:
    """The clubs by points, then goal difference, goals and name."""
    points, difference, scored = (dict.fromkeys(names, 0) for _ in range(3))
    for *_, home, away, home_goals, away_goals in played:
        for club, own, other in ((home, home_goals, away_goals), (away, away_goals, home_goals)):
            if club in points and isinstance(own, int) and isinstance(other, int):
                points[str(club)] += 3 if own > other else int(own == other)
                difference[str(club)] += own - other
                scored[str(club)] += own
    return sorted(names, key=lambda name: (-points[name], -difference[name], -scored[name], name))


# Five-a-side: stints with substitutions.

SQUAD, ON_COURT, MATCH_MINUTES, STINTS_A_MATCH, ROBINS = 8, 5, 40, 7, 2
PLAYER_SD, STINT_LOG_GOALS, STINT_HOME_ADVANTAGE, MOVING_SHARE = 0.16, math.log(3.2), 0.15, 0.25
STINT_SEASONS = (("2024", date(2024, 2, 3)), ("2025", date(2025, 2, 1)))


def stints(seed: int) -> dict[str, str]:
    """stints.csv and truth.csv of the five-a-side league.

    A side's log rate of goals is the sum of its five players' attack minus the sum of the other five's defence; a
    quarter of the players, on average, change teams between the seasons.
    """
    rng = np.random.default_rng(seed)
    names = _shuffled(rng, [f"{first} {last}" for first in FIRST for last in LAST])
    players = {name: _strength(rng, name, PLAYER_SD, PLAYER_SD) for name in names}
    squads = {team: names[SQUAD * number : SQUAD * (number + 1)] for number, team in enumerate(TEAMS)}
    rows: list[tuple[object, ...]] = []
    for season, start in STINT_SEASONS:
        fixtures = [pairs for _ in range(ROBINS) for pairs in _double_round_robin(_shuffled(rng, TEAMS))]
        for number, pairs in enumerate(fixtures, start=1):
            day = start + timedelta(days=7 * (number - 1))
            for home, away in pairs:
                head = (f"{season}-round{number:02d}-{TEAMS.index(home) + 1}", season, number, day.isoformat())
                rows += [head + row for row in _match(rng, home, away, squads, players)]
        squads = _transfers(rng, squads)
    header = (
        "match", "season", "round", "date", "stint", "home", "away", "minutes", "home_goals", "away_goals",
        "home_players", "away_players",
    )  # fmt: skip
    return {"stints.csv": _csv(header, rows), "truth.csv": _truth(players.values())}


def _match(
    rng: np.random.Generator, home: str, away: str, squads: dict[str, list[str]], players: dict[str, Strength]
) -> list[tuple[object, ...]]:
    """One match's stints: one or two players of each side are replaced from the bench between them."""
    cuts = _shuffled(rng, range(1, MATCH_MINUTES))[: STINTS_A_MATCH - 1]
    bounds = [0, *sorted(cuts), MATCH_MINUTES]
    on = {team: _shuffled(rng, squads[team])[:ON_COURT] for team in (home, away)}
    rows: list[tuple[object, ...]] = []
    for number in range(1, STINTS_A_MATCH + 1):
        minutes = bounds[number] - bounds[number - 1]
        home_five, away_five = (_together([players[name] for name in on[team]]) for team in (home, away))
        log_goals = STINT_LOG_GOALS + math.log(minutes / MATCH_MINUTES)
        goals = _goals(rng, home_five, away_five, log_goals, STINT_HOME_ADVANTAGE)
        named = [";".join(sorted(on[team])) for team in (home, away)]
        rows.append((number, home, away, minutes, *goals, *named))
        on = {team: _substituted(rng, on[team], squads[team]) for team in (home, away)}
    return rows


def _substituted(rng: np.random.Generator, on: list[str], squad: Sequence[str]) -> list[str]:
    bench = _shuffled(rng, [name for name in squad if name not in on])
    changes = 1 + int(rng.random() < 0.5)
    return _shuffled(rng, on)[changes:] + bench[:changes]


def _transfers(rng: np.random.Generator, squads: dict[str, list[str]]) -> dict[str, list[str]]:
    """Next season's squads: the players who move are dealt out anew to the places they leave."""
    moving = [name for squad in squads.values() for name in squad if rng.random() < MOVING_SHARE]
    new = dict(zip(moving, _shuffled(rng, moving), strict=True))
    return {team: [new.get(name, name) for name in squad] for team, squad in squads.items()}


def _together(five: Sequence[Strength]) -> Strength:
    return Strength("", sum(player.attack for player in five), sum(player.defence for player in five))


# A table-tennis club: a file of a reader's own.

EVENINGS, GAMES_AN_EVENING, SETS_TO_WIN, MEMBER_SD, FIRST_EVENING = 25, 6, 3, 0.7, date(2025, 9, 4)


def club(seed: int) -> dict[str, str]:
    """results.csv and truth.csv of a club of twenty: 150 games, the best of five sets, by who won.

    A set is won with the logistic function of the difference of strengths. Some come often and some hardly ever.
    """
    rng = np.random.default_rng(seed)
    strength = {name: round(MEMBER_SD * _normal(rng), 4) for name in MEMBERS}
    keen = {name: float(rng.random()) + 0.1 for name in MEMBERS}
    pairs = [(first, second) for number, first in enumerate(MEMBERS) for second in MEMBERS[number + 1 :]]
    rows = []
    for evening in range(EVENINGS):
        # The smallest of exponential times with rates in proportion: a draw without replacement, by weight.
        met = sorted((-math.log(1 - float(rng.random())) / (keen[a] * keen[b]), a, b) for a, b in pairs)
        day = (FIRST_EVENING + timedelta(days=7 * evening)).isoformat()
        rows += [(day, *_best_of_five(rng, a, b, strength)) for _, a, b in met[:GAMES_AN_EVENING]]
    truth = _csv(("name", "strength"), [(name, f"{value:.4f}") for name, value in strength.items()])
    return {"results.csv": _csv(("date", "winner", "loser", "sets"), rows), "truth.csv": truth}


def _best_of_five(
    rng: np.random.Generator, first: str, second: str, strength: dict[str, float]
) -> tuple[str, str, str]:
    """Winner, loser and the sets of one game."""
    chance, sets = 1 / (1 + math.exp(strength[second] - strength[first])), [0, 0]
    while max(sets) < SETS_TO_WIN:
        sets[int(rng.random() >= chance)] += 1
    winner, loser = (first, second) if sets[0] > sets[1] else (second, first)
    return winner, loser, f"{max(sets)}:{min(sets)}"


# Chance, and text.


def _goals(
    rng: np.random.Generator, home: Strength, away: Strength, log_goals: float, home_advantage: float
) -> tuple[int, int]:
    home_rate = math.exp(log_goals + home_advantage + home.attack - away.defence)
    away_rate = math.exp(log_goals + away.attack - home.defence)
    return _poisson(rng, home_rate), _poisson(rng, away_rate)


def _poisson(rng: np.random.Generator, rate: float) -> int:
    """A Poisson number by inversion of one uniform."""
    left, term, count = float(rng.random()), math.exp(-rate), 0
    while left >= term and count < 100:
        left -= term
        count += 1
        term *= rate / count
    return count


def _normal(rng: np.random.Generator) -> float:
    """A standard normal by inversion of one uniform kept off 0 and 1."""
    return NormalDist().inv_cdf(min(max(float(rng.random()), 1e-9), 1 - 1e-9))


def _strength(rng: np.random.Generator, name: str, attack_sd: float, defence_sd: float) -> Strength:
    return Strength(name, round(attack_sd * _normal(rng), 4), round(defence_sd * _normal(rng), 4))


def _shuffled[T](rng: np.random.Generator, items: Iterable[T]) -> list[T]:
    return [item for _, item in sorted(((float(rng.random()), item) for item in items), key=lambda pair: pair[0])]


def _double_round_robin(names: Sequence[str]) -> list[list[tuple[str, str]]]:
    """Rounds of (home, away) by the circle method, then all again with the homes exchanged."""
    fixed, circle = names[0], list(names[1:])
    rounds = []
    for number in range(len(names) - 1):
        ring = [fixed, *circle]
        pairs = [(ring[place], ring[-1 - place]) for place in range(len(ring) // 2)]
        rounds.append(
            [(away, home) if (number + place) % 2 else (home, away) for place, (home, away) in enumerate(pairs)]
        )
        circle = [circle[-1], *circle[:-1]]
    return rounds + [[(away, home) for home, away in pairs] for pairs in rounds]


def _truth(strengths: Iterable[Strength]) -> str:
    ordered = sorted(strengths, key=lambda strength: strength.name)
    return _csv(("name", "attack", "defence"), [(s.name, f"{s.attack:.4f}", f"{s.defence:.4f}") for s in ordered])


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in [header, *rows])
