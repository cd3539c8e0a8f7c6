"""Every page of Activity."""

from typing import Final

from appconnect.console import activity_events, activity_refusals, activity_usage

PAGES: Final = (*activity_refusals.PAGES, *activity_events.PAGES, *activity_usage.PAGES)
