"""Every page of Settings."""

from typing import Final

from appconnect.console import (
    settings_admin_tokens,
    settings_keys,
    settings_sessions,
    settings_site,
    settings_switches,
)

PAGES: Final = (
    *settings_switches.PAGES,
    *settings_keys.PAGES,
    *settings_sessions.PAGES,
    *settings_admin_tokens.PAGES,
    *settings_site.PAGES,
)
