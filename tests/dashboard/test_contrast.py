"""Colours as they are read: WCAG 2.1 contrast of the style sheet's pairs, in both themes."""

import re

import pytest

from dashboard.interactions import ASSETS

TEXT, SHAPE = 4.5, 3.0  # WCAG 2.1 AA: 1.4.3 for text, 1.4.11 for what is drawn
GROUNDS = ("ground", "surface", "raised", "tier")
TEXTS = [(ink, ground) for ink in ("ink", "quiet", "accent", "alone", "good", "warn", "bad") for ground in GROUNDS]
WASHES = [
    ("accent", "accent-wash"), ("ink", "accent-wash"), ("ink", "warn-wash"), ("warn", "warn-wash"), ("ink", "bad-wash"),
    ("bad", "bad-wash"), ("ink", "good-wash"), ("good", "good-wash"), ("ground", "ink"), ("surface", "accent"),
]  # fmt: skip
SHAPES = [(shape, ground) for shape in ("accent", "alone", "true", "ink", "good", "bad") for ground in GROUNDS]


def colours(theme: int) -> dict[str, str]:
    """The style sheet's colours by name: of the light theme (0) or the dark one (1)."""
    pairs = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", (ASSETS / "pooltable.css").read_text())
    return {name: (light, dark)[theme] for name, light, dark in pairs}


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, as WCAG 2.1 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast of two colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_words_and_shapes_stand_out_from_what_they_are_on(theme: int) -> None:
    found = colours(theme)
    wanted = [(*pair, TEXT) for pair in [*TEXTS, *WASHES]] + [(*pair, SHAPE) for pair in SHAPES]
    faint = {f"{ink} on {ground}": round(contrast(found[ink], found[ground]), 2) for ink, ground, least in wanted
             if contrast(found[ink], found[ground]) < least}  # fmt: skip
    assert faint == {}
