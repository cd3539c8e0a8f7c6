"""What every action is given, and how a wrong input is reported."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from appconnect.core.audit import AuditEvent, AuditEventType
from appconnect.ports import Clock, DiscoverSite, Entropy, SiteAt, Store

CONSOLE = "console"
"""The kind of actor that an administrator at the console is: a colon and the login follow."""


@dataclass(frozen=True, slots=True)
class InputProblem:
    """One wrong input: which, what is wrong with it, and what to do instead."""

    field: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem} {self.remedy}".rstrip()


class InputError(Exception):
    """An action that was not begun, because of everything listed; nothing was changed."""

    def __init__(self, problems: Iterable[InputProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))

    @classmethod
    def of(cls, field: str, problem: str, remedy: str = "") -> Self:
        """An error with one problem."""
        return cls([InputProblem(field, problem, remedy)])


class NotFoundError(InputError):
    """What was named does not exist, or does not any more."""


class BusyError(InputError):
    """Another change is under way, and did not end in time."""


@dataclass(frozen=True, slots=True)
class Context:
    """The world as an action sees it, and on whose behalf it acts."""

    store: Store
    discover_site: DiscoverSite
    site_at: SiteAt
    clock: Clock
    entropy: Entropy
    actor: str

    def event(self, type_: AuditEventType, subject: str, details: str = "") -> AuditEvent:
        """An audit event of this moment."""
        return AuditEvent(type_, self.clock(), self.actor, subject, details)

    def new_uuid(self) -> str:
        """A random UUID (RFC 9562 §5.4)."""
        return str(UUID(bytes=self.entropy(16), version=4))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold off every other change while this one is read, checked and written; `InputError` where it cannot."""
        with self.store.exclusively() as is_alone:
            if not is_alone:
                raise BusyError.of("gateway", "Another command is changing it.", "Wait for it to end and try again.")
            yield
