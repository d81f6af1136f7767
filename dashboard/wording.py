"""Values as people read them: ages, days, counts, signed numbers; and how many digits a set of ratings deserves."""

import math
from collections.abc import Iterable
from datetime import date, datetime
from statistics import median

STEPS = ((86400 * 2, 86400, "days"), (3600 * 2, 3600, "hours"), (60 * 2, 60, "minutes"))


def ago(moment: datetime, now: datetime) -> str:
    """How long before `now` a moment (both UTC, naive or aware) was: "3 hours ago"."""
    seconds = (now.replace(tzinfo=None) - moment.replace(tzinfo=None)).total_seconds()
    for least, size, unit in STEPS:
        if seconds >= least:
            return f"{int(seconds // size):,} {unit} ago"
    return "just now"


def day(value: date | None) -> str:
    """A day as "31 Dec 2023"; a dash where there is none."""
    return f"{value.day} {value:%b %Y}" if value else "–"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A count with its noun: "1 game", "2,400 games"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def signed(value: float, digits: int) -> str:
    """A number with its sign, a true minus: "+0.31", "−1.20"; no sign on zero."""
    text = f"{abs(value):.{digits}f}"
    if float(text) == 0:
        return text
    return ("+" if value > 0 else "−") + text


def plain(value: float | None, digits: int = 3) -> str:
    """A number to `digits` significant digits without an exponent where that is short; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    if 1e-4 <= abs(value) < 1e6:
        decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
        return f"{value:,.{decimals}f}".replace("-", "−")
    return f"{value:.{digits - 1}e}".replace("-", "−")


def short(value: float | None) -> str:
    """A number to four significant digits without trailing zeros: "1.002", "400", "0.871"."""
    text = plain(value, 4)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def decimals(sds: Iterable[float]) -> int:
    """Decimals worth showing for ratings with these standard deviations: two digits of the typical one, at most 4."""
    known = [sd for sd in sds if sd > 0 and math.isfinite(sd)]
    return min(4, max(0, 1 - math.floor(math.log10(median(known))))) if known else 2


def percent(chance: float) -> str:
    """A chance in per cent: "54 %"; "<1 %", ">99 %" near the ends; "0 %", "100 %" only where it is just that.

    `chance` in assets/cells.js is the same rule.
    """
    if 0 < chance <= 0.005:
        return "<1 %"
    return ">99 %" if 0.995 <= chance < 1 else f"{math.floor(100 * chance + 0.5)} %"


def listed(words: list[str]) -> str:
    """Words as a list in a sentence: "a, b and c"."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1] if words else ""
