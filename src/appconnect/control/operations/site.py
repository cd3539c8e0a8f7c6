"""Operations on the site behind the gateway."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from appconnect.control import passwords, setup
from appconnect.control.context import InputError
from appconnect.control.credentials import check_credential
from appconnect.control.operations.operation import AnyOperation, Caller, Nothing, Operation, Output
from appconnect.core.admin_tokens import AdminScope
from appconnect.ports import UpstreamError


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(Output):
    """How the connection to WordPress is."""

    site: str
    """The site's address and who we act as there, or what is wrong."""
    site_ok: bool
    """Whether WordPress answers and accepts the administrator's credential."""
    clients: Mapping[str, str]
    """The upstream credential of each client ID: healthy, replaced, lost, or unknown while WordPress is away."""
    unfinished: int
    """How many application passwords are still to be removed in WordPress."""
    api_enabled: bool
    """The API switch."""
    grant_types: tuple[str, ...]
    """The Grant Types that clients may use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnected(Output):
    """A site that is connected no more."""

    disconnected: bool
    """Always true."""
    warnings: tuple[str, ...]
    """What is left to do in WordPress."""


def _check(caller: Caller, _: Nothing) -> Status:
    context = caller.context
    snapshot = context.store.snapshot(now=context.clock())
    try:
        address, user = setup.check_connection(context)
        site, is_well = f"{address.url}, as {user.login}", True
    except (InputError, UpstreamError) as error:
        site, is_well = str(error), False
    return Status(
        site=site,
        site_ok=is_well,
        clients={client_id: check_credential(context, client_id).value for client_id in snapshot.clients},
        unfinished=len(passwords.unfinished(context)),
        api_enabled=snapshot.switches.is_api_enabled,
        grant_types=tuple(sorted(snapshot.switches.grant_types)),
    )


CHECK: Final = Operation(
    name="status",
    method="POST",
    path="/status",
    scope=AdminScope.SITE_WRITE,
    summary="Check the site, the administrator's credential and each client's, replacing one that is lost.",
    takes=Nothing,
    gives=Status,
    run=_check,
)

DISCONNECT: Final = Operation(
    name="site.disconnect",
    method="POST",
    path="/site/disconnect",
    scope=AdminScope.SITE_WRITE,
    summary="Remove App Connect's own application password from WordPress and forget the site; only without clients.",
    takes=Nothing,
    gives=Disconnected,
    run=lambda caller, _: Disconnected(disconnected=True, warnings=tuple(setup.disconnect(caller.context))),
)

SITE: Final[tuple[AnyOperation, ...]] = (CHECK, DISCONNECT)
