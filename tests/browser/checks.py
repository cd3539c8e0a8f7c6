"""What is checked on every page: axe-core, reflow, what each stop of the Tab key shows; and the page's pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

from tests.browser.axe import axe
from tests.browser.focus import walk

ARTIFACTS = Path(__file__).parents[2] / ".artifacts" / "browser"
"""`NAME-WIDTH-SCHEME.png`; CI keeps this folder."""

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Window:
    """CSS pixels."""

    width: int
    height: int


NARROW = Window(320, 640)
"""A desktop at 400 % zoom, or the smallest phone: WCAG 1.4.10 asks for reflow here."""
MIDDLE = Window(782, 900)
"""Where WordPress's own screens become narrow."""
WIDE = Window(1280, 900)
WINDOWS = (NARROW, MIDDLE, WIDE)

_OVERFLOWING = """
() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const wide = [...document.body.querySelectorAll('*')].filter(one => one.getBoundingClientRect().right > width + 1);
    return ['the page', ...wide.slice(0, 5).map(one => one.outerHTML.slice(0, 120))];
}
"""


def check_page(page: Page, name: str) -> None:
    """Check the page as it is now in both schemes and at three widths, and keep a picture of each.

    The page is left as it was but for its scroll position and focus.
    """
    before = page.viewport_size
    problems: dict[str, list[str]] = {}
    with axe(page) as checker:
        for window in WINDOWS:
            page.set_viewport_size({"width": window.width, "height": window.height})
            for problem in overflows(page):
                problems.setdefault(problem, []).append(f"{window.width}")
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                for problem in checker.violations(colors_only=scheme == "dark"):
                    problems.setdefault(problem, []).append(f"{window.width} {scheme}")
                _picture(page, f"{name}-{window.width}-{scheme}")
    page.emulate_media(color_scheme="light")
    for window in (NARROW, WIDE):
        page.set_viewport_size({"width": window.width, "height": window.height})
        for problem in walk(page):
            problems.setdefault(problem, []).append(f"{window.width}")
    if before:
        page.set_viewport_size(before)
    lines = [f"{problem} (at {', '.join(places)})" for problem, places in problems.items()]
    assert not problems, "\n".join([page.url, *lines])


def overflows(page: Page) -> list[str]:
    """What makes the page scroll sideways; nothing where it does not."""
    found = page.evaluate(_OVERFLOWING)
    return [f"scrolls sideways: {found}"] if found else []


def _picture(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=True, animations="disabled", caret="hide")
