"""WCAG 2.2 §1.4.3 and §1.4.11 in numbers, for the colors that the style sheet names, in both schemes."""

import re
from pathlib import Path

import pytest

SHEET = Path(__file__).parents[2] / "src" / "appconnect" / "console" / "static" / "console.css"
TEXT = ("text", "heading", "muted", "link", "link-hover", "danger", "danger-hover", "good", "warning", "bad")
GROUNDS = ("page", "surface", "sunken")
ON_A_COLOR = (
    ("on-primary", "primary"),
    ("on-primary", "primary-hover"),
    ("link", "button"),
    ("link-hover", "button-hover"),
    ("danger", "button"),
    ("danger-hover", "button-hover"),
    ("bar-text", "bar"),
    ("bar-hover", "bar"),
)
LINES = ("field-line", "info-edge", "chart-first", "chart-second", "good", "bad")


def scheme(name: str) -> dict[str, str]:
    """The colors of a scheme; the dark one changes some of the light one's."""
    light, dark = SHEET.read_text().split("@media screen and (prefers-color-scheme: dark)")
    colors = dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", light))
    return colors | (dict(re.findall(r"--([\w-]+): (#[0-9a-f]+);", dark)) if name == "dark" else {})


def luminance(color: str) -> float:
    """Relative luminance, 0 to 1, as WCAG defines it."""
    digits = color[1:] if len(color) == 7 else "".join(one * 2 for one in color[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_what_wcag_says():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#fff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("text", TEXT)
def test_text_can_be_read_on_every_ground(name, ground, text):
    colors = scheme(name)
    assert contrast(colors[text], colors[ground]) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), ON_A_COLOR, ids=lambda one: one)
def test_text_can_be_read_on_its_color(name, text, ground):
    colors = scheme(name)
    assert contrast(colors[text], colors[ground]) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("line", LINES)
def test_a_line_that_means_something_is_seen_on_a_surface(name, line):
    colors = scheme(name)
    assert contrast(colors[line], colors["surface"]) >= 3
