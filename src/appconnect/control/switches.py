"""The site's own settings: the API switch, grant types, token lifetime."""

from collections.abc import Callable
from dataclasses import replace

from appconnect.control.clients import lifetime_problem
from appconnect.control.context import Context, InputError
from appconnect.core.audit import AuditEventType
from appconnect.core.clients import GrantType
from appconnect.core.snapshot import SiteSwitches


def current_switches(context: Context) -> SiteSwitches:
    """The settings as they are."""
    return context.store.snapshot(now=context.clock()).switches


def set_api(context: Context, *, is_enabled: bool) -> SiteSwitches:
    """Switch the API on, or off for every client at once."""
    details = f"API {'enabled' if is_enabled else 'disabled'}"
    return _change(context, lambda switches: replace(switches, is_api_enabled=is_enabled), details)


def set_grant_type(context: Context, grant_type: GrantType, *, is_enabled: bool) -> SiteSwitches:
    """Enable a grant type for the site, or disable it for every client at once."""

    def change(switches: SiteSwitches) -> SiteSwitches:
        others = switches.grant_types - {grant_type}
        return replace(switches, grant_types=others | {grant_type} if is_enabled else others)

    return _change(context, change, f"{grant_type.label} {'enabled' if is_enabled else 'disabled'}")


def set_token_lifetime(context: Context, seconds: int) -> SiteSwitches:
    """Change how long new tokens live; tokens already issued keep their expiry."""
    if problem := lifetime_problem(seconds):
        raise InputError([problem])
    details = f"token lifetime {seconds} seconds"
    return _change(context, lambda switches: replace(switches, token_lifetime_seconds=seconds), details)


def _change(context: Context, change: Callable[[SiteSwitches], SiteSwitches], details: str) -> SiteSwitches:
    with context.alone():
        switches = change(current_switches(context))
        with context.store.transaction() as transaction:
            transaction.save_switches(switches)
            transaction.record(context.event(AuditEventType.SETTINGS_CHANGED, "settings", details))
    return switches
