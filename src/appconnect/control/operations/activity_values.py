"""What operations on activity take and give. Times are seconds since the epoch."""

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from appconnect.control.operations.operation import Input, Output, PageWanted

MAX_TIME = 253_402_300_799
"""The last second of the year 9999."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsWanted(PageWanted):
    """Which audit events are wanted: those for which everything holds."""

    type: str | None = None
    """What was done, such as client.created."""
    actor: str | None = None
    """A part of who did it."""
    subject: str | None = None
    """A part of what it was done to."""
    text: str | None = None
    """A part of any of its words."""
    since: Annotated[int, Ge(0), Le(MAX_TIME)] | None = None
    """From when on, in seconds since the epoch."""
    until: Annotated[int, Ge(0), Le(MAX_TIME)] | None = None
    """Before when, in seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventContent(Output):
    """Something that was done."""

    at: int
    """When, in seconds since the epoch."""
    type: str
    """What, such as client.created."""
    actor: str
    """Who did it."""
    subject: str
    """What it was done to."""
    details: str
    """The change in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalsWanted(PageWanted):
    """Which refusals are wanted: those for which everything holds."""

    client: str | None = None
    """Of which client, by its ID or name."""
    code: str | None = None
    """For which reason, such as no_rule."""
    text: str | None = None
    """A part of the path."""
    since: Annotated[int, Ge(0), Le(MAX_TIME)] | None = None
    """From when on, in seconds since the epoch."""
    until: Annotated[int, Ge(0), Le(MAX_TIME)] | None = None
    """Before when, in seconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalContent(Output):
    """A request that was refused."""

    at: int
    """When, in seconds since the epoch."""
    client_id: str | None
    """The client, where one is known by what was presented."""
    code: str
    """Why."""
    method: str
    """Its method."""
    path: str
    """Its path."""
    query: str
    """Its query, without credentials."""
    rule: str | None
    """The rule that would have allowed it."""
    address: str
    """From where it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageWanted(Input):
    """Whose usage is wanted."""

    client: str | None = None
    """Of which client, by its ID or name; of all together, where it is left out."""
    days: Annotated[int, Ge(1), Le(400)] = 30
    """For how many days until now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepContent(Output):
    """What happened in an hour or a day."""

    at: int
    """When it began, in seconds since the epoch."""
    tokens: int
    """How many access tokens were issued."""
    allowed: int
    """How many requests were allowed."""
    refused: int
    """How many were refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageContent(Output):
    """Usage, step by step."""

    since: int
    """When the first step began, in seconds since the epoch."""
    step_seconds: int
    """How long a step is."""
    steps: tuple[StepContent, ...]
    """The steps in which something happened, the oldest first."""
    lost: int
    """How many records were lost, as there was no room for them in memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientUsed(Output):
    """The use of a client secret."""

    created_at: int
    """When the secret was made, in seconds since the epoch."""
    last_at: int | None
    """When it was last used; null for never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientActivityContent(Output):
    """What is known of a client's activity."""

    client_id: str
    """The client's ID."""
    last_at: int | None
    """When it last proved to be itself; null for never."""
    health: str | None
    """How its upstream credential was last found: healthy, replaced, lost or unknown; null before the first check."""
    health_since: int | None
    """Since when it has been found so."""
    secrets: tuple[ClientUsed, ...]
    """Its secrets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleUseContent(Output):
    """The use of a rule."""

    rule: str | None
    """The rule; null for what full access allows."""
    requests: int
    """How many requests it allowed in the last 30 days."""
    last_hour: int | None
    """The first second of the hour in which it was last used; null for never."""
    state: str
    """used, unused (for 30 days), or new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleUses(Output):
    """The use of a client's rules."""

    client_id: str
    """The client's ID."""
    rules: tuple[RuleUseContent, ...]
    """Each of its rules."""
