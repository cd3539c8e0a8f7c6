"""What the forms of Settings share: mistakes at their controls, and the clients that a change stops."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from appconnect.console.web import Visit
from appconnect.control.activity import ClientActivity, activity_of
from appconnect.control.context import InputError, InputProblem
from appconnect.core.clients import Client

MAX_LISTED: Final = 20
"""How many clients a page lists that warns of a change; it says how many more there are."""


def at_controls(error: InputError, controls: Mapping[str, str]) -> tuple[InputProblem, ...]:
    """The problems as a form shows them: each at its control, by the field's label, and as a whole sentence."""
    return tuple(_at_control(problem, controls) for problem in error.problems)


def _at_control(problem: InputProblem, controls: Mapping[str, str]) -> InputProblem:
    text = problem.problem
    sentence = f"{problem.field} {text}" if text[:1].islower() else text
    return replace(problem, field=controls.get(problem.field, ""), problem=sentence)


@dataclass(frozen=True, slots=True)
class Stopping:
    """Clients that a change stops, those used last first; `more` are not listed."""

    clients: tuple["StoppingClient", ...]
    more: int

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.clients) + self.more


@dataclass(frozen=True, slots=True)
class StoppingClient:
    """A client that stops, and when it last proved to be itself."""

    client: Client
    user: str
    used_at: int | None


def stopping(visit: Visit, clients: Iterable[Client]) -> Stopping:
    """What an administrator needs to know of these clients before they stop."""
    activity = activity_of(visit.context, visit.snapshot.clients.values())
    found = [_stopping(visit, client, activity) for client in clients]
    found.sort(key=lambda one: (-(one.used_at or 0), one.client.name.casefold()))
    return Stopping(tuple(found[:MAX_LISTED]), max(0, len(found) - MAX_LISTED))


def _stopping(visit: Visit, client: Client, activity: Mapping[str, ClientActivity]) -> StoppingClient:
    known = activity.get(client.id)
    user = visit.snapshot.current_policy(client).service_user.login
    return StoppingClient(client, user, known.last_at if known else None)
