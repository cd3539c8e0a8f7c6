"""The operation that explains what would become of a request."""

from dataclasses import dataclass
from typing import Final

from appconnect.control import explain as control
from appconnect.control.operations.operation import AnyOperation, Caller, Input, Operation, Output
from appconnect.core.admin_tokens import AdminScope


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestToTry(Input):
    """A request that a client might send."""

    client: str
    """The client's ID or name."""
    method: str = "GET"
    """Its method."""
    path: str
    """Its path with the query, or the whole address."""
    body: str = ""
    """Its body, where the decision may depend on it."""
    content_type: str = ""
    """What the body is."""
    wordpress: bool = True
    """Whether WordPress is asked for its half."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WordPressSays(Output):
    """WordPress's half."""

    permission: str
    """permitted, depends, refused, or unknown."""
    sentence: str
    """The same in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained(Output):
    """What would become of the request."""

    client_id: str
    """The client's ID."""
    allowed: bool
    """Whether the gateway would let it pass."""
    would_pass: bool | None
    """Whether it would succeed, as far as can be told; null where WordPress does not say."""
    code: str | None
    """Why it would be refused."""
    sentence: str
    """The gateway's decision in words."""
    canonical: str | None
    """The one meaning of the request, where it has one."""
    parts: tuple[str, ...]
    """The requests inside a batch."""
    rule: str | None
    """The rule that allows it."""
    would_allow: str | None
    """The rule that is missing, where one rule would do."""
    wordpress: WordPressSays | None
    """What WordPress's permission checks say to the client's user."""
    obstacles: tuple[str, ...]
    """What stops the client before any request."""


def _explain(caller: Caller, given: RequestToTry) -> Explained:
    asked = control.Asked(given.method, given.path, given.body, given.content_type)
    found = control.explain(caller.context, given.client, asked, asks_wordpress=given.wordpress)
    says = found.wordpress
    return Explained(
        client_id=found.client.id,
        allowed=found.is_allowed,
        would_pass=found.would_pass,
        code=found.code,
        sentence=found.sentence,
        canonical=found.canonical,
        parts=found.parts,
        rule=found.rule,
        would_allow=found.would_allow,
        wordpress=WordPressSays(permission=says.permission.value, sentence=says.sentence) if says else None,
        obstacles=found.obstacles,
    )


EXPLAIN: Final = Operation(
    name="explain",
    method="POST",
    path="/clients/{client}/explain",
    scope=AdminScope.CLIENTS_READ,
    summary="Explain what would become of a client's request, at the gateway and in WordPress. Nothing is sent.",
    takes=RequestToTry,
    gives=Explained,
    run=_explain,
)

EXPLAINING: Final[tuple[AnyOperation, ...]] = (EXPLAIN,)
