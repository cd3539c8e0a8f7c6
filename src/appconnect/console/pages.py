"""Every page of the console, in one list, and the two that belong to no section."""

from typing import Final

from appconnect.console import activity_pages, client_pages, settings_pages, setup_pages, sign_in_pages
from appconnect.console.web import Gone, PageRoute, Result, Shown, Visit


def _home(visit: Visit) -> Result:
    del visit
    return Gone("/clients")


def _help(visit: Visit) -> Result:
    return Shown("help.html", {"public_url": visit.snapshot.public_url})


def _patterns(visit: Visit) -> Result:
    del visit
    return Shown("patterns.html")


PAGES: Final = (
    PageRoute("", _home),
    PageRoute("/", _home),
    PageRoute("/help", _help, section="help", is_public=True),
    PageRoute("/patterns", _patterns),
    *sign_in_pages.PAGES,
    *setup_pages.PAGES,
    *client_pages.PAGES,
    *activity_pages.PAGES,
    *settings_pages.PAGES,
)
