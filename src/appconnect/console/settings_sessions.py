"""Settings: who is signed in to the console, and from which browser."""

import re
from typing import Final

from appconnect.console.web import Gone, Notice, PageRoute, Result, Shown, Visit
from appconnect.control import sessions

_PATH: Final = "/settings/sessions"
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("HeadlessChrome", "Chrome without a window"),
    ("Chrome", "Chrome"),
    ("Version", "Safari"),
)
"""A product in `User-Agent` and the browser that it means; each names those after it as well."""
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
_MOST_UNKNOWN: Final = 60


def session_list(visit: Visit) -> Result:
    """Every session, the last used first."""
    rows = [(one, browser_name(one.browser)) for one in sessions.all_sessions(visit.context)]
    values = {"page_title": "Settings", "tab": "sessions", "sessions": rows, "own": visit.administrator.id}
    return Shown("settings_sessions.html", values)


def end(visit: Visit) -> Result:
    """End a session; whoever ends their own signs in again."""
    ended = sessions.end_session(visit.context, visit.parameter("session_id"))
    if ended.id == visit.administrator.id:
        return Gone("/sign-in", ends_session=True)
    text = f"The session of {ended.login} in {browser_name(ended.browser)} has ended."
    return Gone(_PATH, (Notice("success", text),))


def end_others(visit: Visit) -> Result:
    """End every session but this one."""
    number = sessions.end_other_sessions(visit.context, visit.administrator)
    text = f"{number} other {'session has' if number == 1 else 'sessions have'} ended."
    return Gone(_PATH, (Notice("success", text),))


def browser_name(user_agent: str) -> str:
    """A browser as people call it, `Firefox on Windows`; else the beginning of what it calls itself."""
    browser = next((name for product, name in _BROWSERS if re.search(rf"\b{product}/", user_agent)), "")
    system = next((name for part, name in _SYSTEMS if part in user_agent), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    return _beginning(user_agent) or "an unknown browser"


def _beginning(text: str) -> str:
    """Whole words of a text that is too long, or as much of the only one as there is place for."""
    if len(text) <= _MOST_UNKNOWN:
        return text
    return (text[:_MOST_UNKNOWN].rpartition(" ")[0] or text[:_MOST_UNKNOWN]) + "…"


PAGES: Final = (
    PageRoute(_PATH, session_list, section="settings"),
    PageRoute(f"{_PATH}/end-others", post=end_others, section="settings"),
    PageRoute(f"{_PATH}/{{session_id}}/end", post=end, section="settings"),
)
