"""What every page of the console is made with: the visit, its form, and what a page gives back."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from appconnect.console.site_card import SiteCard
from appconnect.control.context import Context, InputError, InputProblem
from appconnect.control.sessions import Begun
from appconnect.core.sessions import Session
from appconnect.core.snapshot import Snapshot

PREFIX: Final = "/app-connect"
MAX_FORM_BYTES: Final = 256 * 1024
MAX_FORM_FIELDS: Final = 20_000
PENDING_SECONDS: Final = 900
"""How long an approval in WordPress may take."""


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form or a query, as a browser sent them; a name may stand several times."""

    pairs: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, raw: bytes) -> "Form":
        """Read `application/x-www-form-urlencoded`; newlines become the ones that everybody else writes.

        Of more than `MAX_FORM_FIELDS` fields nothing is read: `HTTPException` 413.
        """
        try:
            pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MAX_FORM_FIELDS)
        except ValueError:
            raise HTTPException(413, f"A form may have {MAX_FORM_FIELDS:,} fields.") from None
        return cls(tuple((name, value.replace("\r\n", "\n")) for name, value in pairs))

    def text(self, name: str, default: str = "") -> str:
        """The last value of a name, without blanks around it."""
        return next((value.strip() for key, value in reversed(self.pairs) if key == name), default)

    def all(self, name: str) -> list[str]:
        """Every value of a name that is not blank, in order."""
        return [value.strip() for key, value in self.pairs if key == name and value.strip()]

    def has(self, name: str) -> bool:
        """Whether a name was sent: a checkbox that is on, the button that was pressed."""
        return any(key == name for key, _ in self.pairs)


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence at the top of a page; `kind` is success, warning, error or info."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A page to show: its template (or, for htmx, only its `partial`) and what stands in it."""

    template: str
    values: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    problems: tuple[InputProblem, ...] = ()
    notices: tuple[Notice, ...] = ()
    partial: str | None = None
    form_targets: tuple[str, ...] = ()
    """Origins beside our own that a form of this page may lead to (CSP `form-action`)."""


@dataclass(frozen=True, slots=True)
class Gone:
    """An action that is done: the browser goes on to `path` below the console, which shows the notices once.

    `secret` is shown by that page once as well; it never stands in an address. `begun` is a session that starts here.
    """

    path: str
    notices: tuple[Notice, ...] = ()
    secret: Mapping[str, str] | None = None
    begun: Begun | None = None
    ends_session: bool = False
    is_failed_proof: bool = False
    """Whether somebody failed to prove who they are: the next failure from there takes longer."""


@dataclass(frozen=True, slots=True)
class Away:
    """On to an address of WordPress's; `pending` is what this browser must bring back, and nobody else has."""

    url: str
    pending: str


@dataclass(frozen=True, slots=True)
class Download:
    """A file, piece by piece."""

    name: str
    media_type: str
    pieces: Iterable[str]


Result = Shown | Gone | Away | Download


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a browser: who it is, what it sent, and the world that its actions see."""

    request: Request
    session: Session | None
    context: Context
    snapshot: Snapshot
    card: SiteCard
    form: Form = Form()
    pending: str = ""
    """What was begun in this browser with `Away`."""
    secret: Mapping[str, str] | None = None
    """What the page before has left for this one to show once."""

    @property
    def query(self) -> Form:
        """The fields of the address."""
        return Form.parse(self.request.scope["query_string"])

    @property
    def is_partial(self) -> bool:
        """Whether htmx asks, which wants only the part that changes."""
        return self.request.headers.get("hx-request") == "true"

    def parameter(self, name: str) -> str:
        """A parameter of the path."""
        return str(self.request.path_params[name])

    @property
    def administrator(self) -> Session:
        """The session of the administrator, on pages that only they see."""
        assert self.session is not None
        return self.session


Page = Callable[[Visit], Result]


@dataclass(frozen=True, slots=True)
class PageRoute:
    """A path below the console with what shows it and what acts on it. Functions run in a thread and may block.

    `is_public` pages are for those who have not signed in; `is_for_setup` ones for the one-time link's session too.
    `is_proof` pages have WordPress asked for whoever comes, so only a few do at a time.
    """

    path: str
    get: Page | None = None
    post: Page | None = None
    section: str = ""
    is_public: bool = False
    is_for_setup: bool = False
    is_proof: bool = False


def attempted(action: Callable[[], Result], otherwise: Callable[[InputError], Result]) -> Result:
    """Do what a form asks; show the form again, with what was typed, where the input is wrong."""
    try:
        return action()
    except InputError as error:
        return otherwise(error)
