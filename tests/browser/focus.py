"""Where the keyboard's focus is, and whether a person sees it."""

from typing import Any

from playwright.sync_api import Page

MOST_STOPS = 250
"""More than any page has; whoever presses Tab so often is caught in a trap."""

_FOCUS = """
() => {
    const one = document.activeElement;
    if (!one || one === document.body || one === document.documentElement) return null;
    const words = [...(one.labels ?? []), one].map(each => each.textContent.trim()).find(text => text);
    const name = one.getAttribute('aria-label') || words || one.value || one.name || one.id;
    const style = getComputedStyle(one);
    const isOutlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
    const isWithin = !one.matches(':focus');  // on a button of the browser's own, such as a date's, which has its ring
    const box = one.getBoundingClientRect();
    const left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
    const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight);
    const spots = [[0.5, 0.5], [0.1, 0.1], [0.9, 0.9]].map(
        ([x, y]) => document.elementFromPoint(left + (right - left) * x, top + (bottom - top) * y));
    const isOurs = spot => one.contains(spot) || spot.contains(one) || [...(one.labels ?? [])].includes(spot);
    window.appConnectStops ??= new WeakMap();
    if (!appConnectStops.has(one)) appConnectStops.set(one, Math.random());
    return {
        key: appConnectStops.get(one),
        text: `<${one.tagName.toLowerCase()}> ${name.replace(/\\s+/g, ' ').slice(0, 60)}`,
        isOutlined: isOutlined || style.boxShadow !== 'none' || isWithin,
        isOnScreen: right > left && bottom > top,
        isCovered: !spots.some(spot => spot && isOurs(spot)),
    };
}
"""

_TO_THE_TOP = """
() => {
    const top = document.body.insertBefore(document.createElement('span'), document.body.firstChild);
    top.tabIndex = -1;
    top.focus();
    top.remove();
}
"""
# The browser goes on from where the focus was last, even when that is gone.


def walk(page: Page) -> list[str]:
    """Press Tab from the top of the page until the focus comes round; say what a person would not see at each stop."""
    page.evaluate(_TO_THE_TOP)
    seen: list[float] = []
    problems: list[str] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = focus(page)
        if stop is None or stop["key"] in seen[:-1]:
            return problems if seen else ["Tab reaches nothing"]
        problems += problems_of(stop)
        if stop["key"] not in seen:  # a date is one control of several stops
            seen.append(stop["key"])
    return [*problems, "the focus never comes round"]


def focus(page: Page) -> dict[str, Any] | None:
    """The control that has the focus; None where none has."""
    found: dict[str, Any] | None = page.evaluate(_FOCUS)
    return found


def problems_of(stop: dict[str, Any] | None) -> list[str]:
    """What is wrong with a stop: WCAG 2.4.7 (focus visible) and 2.4.11 (focus not obscured)."""
    if stop is None:
        return []
    found = {
        "shows no focus": not stop["isOutlined"],
        "is off the screen": not stop["isOnScreen"],
        "is covered": stop["isOnScreen"] and stop["isCovered"],
    }
    return [f"{stop['text']} {problem}" for problem, is_so in found.items() if is_so]
