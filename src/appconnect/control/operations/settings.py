"""Operations on the site's settings (the guide's Settings page)."""

from dataclasses import dataclass
from typing import Final

from appconnect.control import switches as control
from appconnect.control.context import InputError
from appconnect.control.operations.operation import AnyOperation, Caller, Input, Nothing, Operation, Output
from appconnect.core.admin_tokens import AdminScope
from appconnect.core.clients import GrantType
from appconnect.core.snapshot import SiteSwitches


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsContent(Output):
    """The site's settings."""

    api_enabled: bool
    """The API switch: while it is off, every token and every call is refused."""
    grant_types: tuple[str, ...]
    """The Grant Types that clients may use."""
    token_lifetime_seconds: int
    """How long access tokens live, where a client has no lifetime of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch(Input):
    """On or off."""

    enabled: bool
    """Whether it is to be on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantTypeSwitch(Input):
    """A grant type, on or off."""

    grant_type: str
    """client-credentials."""
    enabled: bool
    """Whether clients that have it may use it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLifetime(Input):
    """A lifetime of access tokens."""

    token_lifetime_seconds: int
    """60 to 86400 seconds."""


def _content(switches: SiteSwitches) -> SettingsContent:
    return SettingsContent(
        api_enabled=switches.is_api_enabled,
        grant_types=tuple(sorted(switches.grant_types)),
        token_lifetime_seconds=switches.token_lifetime_seconds,
    )


def _set_grant_type(caller: Caller, given: GrantTypeSwitch) -> SettingsContent:
    try:
        grant_type = GrantType.parse(given.grant_type)
    except ValueError as error:
        problem, remedy = f"{given.grant_type!r} is not a grant type.", f"Choose: {', '.join(GrantType)}."
        raise InputError.of("GRANT_TYPE", problem, remedy) from error
    return _content(control.set_grant_type(caller.context, grant_type, is_enabled=given.enabled))


SHOW: Final = Operation(
    name="settings.show",
    method="GET",
    path="/settings",
    scope=AdminScope.SETTINGS_READ,
    summary="Show the site's settings.",
    takes=Nothing,
    gives=SettingsContent,
    run=lambda caller, _: _content(control.current_switches(caller.context)),
)
SET_API: Final = Operation(
    name="settings.api",
    method="POST",
    path="/settings/api",
    scope=AdminScope.SETTINGS_WRITE,
    summary="Switch the API on, or off: then every client stops within a second.",
    takes=Switch,
    gives=SettingsContent,
    run=lambda caller, given: _content(control.set_api(caller.context, is_enabled=given.enabled)),
)
SET_GRANT_TYPE: Final = Operation(
    name="settings.grant-types",
    method="POST",
    path="/settings/grant-types/{grant_type}",
    scope=AdminScope.SETTINGS_WRITE,
    summary="Enable a grant type, or disable it: then tokens issued by it stop working within a second.",
    takes=GrantTypeSwitch,
    gives=SettingsContent,
    run=_set_grant_type,
)
SET_TOKEN_LIFETIME: Final = Operation(
    name="settings.token-lifetime",
    method="POST",
    path="/settings/token-lifetime",
    scope=AdminScope.SETTINGS_WRITE,
    summary="Change how long new access tokens live.",
    takes=TokenLifetime,
    gives=SettingsContent,
    run=lambda caller, given: _content(control.set_token_lifetime(caller.context, given.token_lifetime_seconds)),
)

SETTINGS: Final[tuple[AnyOperation, ...]] = (SHOW, SET_API, SET_GRANT_TYPE, SET_TOKEN_LIFETIME)
