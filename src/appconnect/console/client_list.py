"""The clients, understood at a glance."""

from typing import Final
from urllib.parse import urlencode

from appconnect.console.client_facts import facts_of
from appconnect.console.web import PREFIX, Result, Shown, Visit
from appconnect.core.clients import Client, GrantType
from appconnect.core.snapshot import Snapshot

PAGE_SIZE: Final = 20
LIST: Final = f"{PREFIX}/clients"


def client_list(visit: Visit) -> Result:
    """Some of the clients, in the order of their names."""
    wanted, snapshot = visit.query.text("q"), visit.snapshot
    found = _found(snapshot, wanted)
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(max(1, _number(visit.query.text("page"))), pages)
    first = (page - 1) * PAGE_SIZE
    shown = found[first : first + PAGE_SIZE]
    values = {
        "page_title": "Clients",
        "rows": facts_of(visit.context, snapshot, shown),
        "wanted": wanted,
        "has_clients": bool(snapshot.clients),
        "is_grant_enabled": GrantType.CLIENT_CREDENTIALS in snapshot.switches.grant_types,
        "is_api_enabled": snapshot.switches.is_api_enabled,
        "summary": f"{first + 1} to {first + len(shown)} of {len(found)} clients" if pages > 1 else "",
        "previous": _address(wanted, page - 1) if page > 1 else "",
        "next": _address(wanted, page + 1) if page < pages else "",
    }
    return Shown("client_list.html", values)


def _found(snapshot: Snapshot, wanted: str) -> list[Client]:
    """Those whose name, ID or user has the text in it, in any case."""
    clients = sorted(snapshot.clients.values(), key=lambda client: (client.name.casefold(), client.id))
    text = wanted.casefold()
    return [client for client in clients if any(text in word.casefold() for word in _words(client, snapshot))]


def _words(client: Client, snapshot: Snapshot) -> tuple[str, str, str]:
    return client.name, client.id, snapshot.current_policy(client).service_user.login


def _address(wanted: str, page: int) -> str:
    return f"{LIST}?{urlencode({'q': wanted, 'page': page} if wanted else {'page': page})}"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
