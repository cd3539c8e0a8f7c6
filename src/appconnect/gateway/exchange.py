"""One request with a token on its way: its canonical form, and as much of its body as the decision needed."""

from collections.abc import AsyncIterator, Callable

from appconnect.asgi import ClientGone
from appconnect.core.access import Access
from appconnect.core.batch import Batch, read_body
from appconnect.core.body import MAX_FORM_FIELDS, MAX_READ_BYTES, Reading
from appconnect.core.canonical import CanonicalRequest
from appconnect.core.decision import Decision, Deny, Reason, Undecided, decide
from appconnect.core.query import check_names, split_pairs
from appconnect.core.rules import Method
from appconnect.core.templates import RouteTemplates
from appconnect.gateway.answer import Answering
from appconnect.gateway.incoming import Incoming

_SAFE = (Method.GET, Method.HEAD, Method.OPTIONS)


class Exchange:
    """Reads the body once and at most as far as somebody asks."""

    def __init__(self, canonical: CanonicalRequest, incoming: Incoming, answering: Answering) -> None:
        self.canonical, self.incoming, self.answering = canonical, incoming, answering
        self.batch: Batch | None = None
        self.is_withdrawn = False
        self._is_permitted: Callable[[], bool] = _always
        self._content = None if canonical.body else b""

    def decision(self, access: Access, templates: RouteTemplates) -> Decision | Undecided:
        """The decision by what is known so far."""
        return decide(self.canonical, access.granted, access.current, templates, self.batch)

    async def decided(self, access: Access, templates: RouteTemplates) -> Decision:
        """The decision, reading the body where it depends on it; `Refused` where that has no single meaning."""
        decision = self.decision(access, templates)
        if isinstance(decision, Undecided):
            await self._read()
            decision = self.decision(access, templates)
        return Deny(Reason.UNREADABLE_BODY) if isinstance(decision, Undecided) else decision

    async def refuse_second_credential(self) -> None:
        """RFC 6750 §2: a token is sent in one way; `Refused` for a form that begins with what no query may have."""
        body = self.canonical.body
        if body is not None and Reading.FORM in body.readings:
            begin = await self.incoming.peek() if self._content is None else self._content
            check_names(split_pairs(begin, most=MAX_FORM_FIELDS))

    @property
    def content_length(self) -> int | None:
        """The length in bytes of what goes on, where it is known."""
        return self.incoming.content_length if self._content is None else len(self._content)

    @property
    def is_safe(self) -> bool:
        """RFC 9110 §9.2.1, and nothing of it is used up: it may be sent again with another credential."""
        return self.canonical.method in _SAFE and (self.canonical.body is None or self._content is not None)

    def body(self) -> AsyncIterator[bytes] | None:
        """The body that goes on, or None."""
        if self._content is None:
            return self._watched()
        return _once(self._content) if self._content else None

    def watch(self, is_permitted: Callable[[], bool]) -> None:
        """Ask `is_permitted` before each piece of a body that streams, and before its end."""
        self._is_permitted = is_permitted

    async def _watched(self) -> AsyncIterator[bytes]:
        async for chunk in self.incoming.chunks():
            self._break_off_if_withdrawn()
            yield chunk
        self._break_off_if_withdrawn()

    def _break_off_if_withdrawn(self) -> None:
        if not self._is_permitted():
            self.is_withdrawn = True
            raise ClientGone  # as it is to WordPress

    async def _read(self) -> None:
        content = self._content if self._content is not None else await self.incoming.whole(max_bytes=MAX_READ_BYTES)
        self.canonical, self.batch, self._content = read_body(self.canonical, content)


def _always() -> bool:
    return True


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
