"""HTTP/1.1 on the wire (RFC 9112): uvicorn's protocol on httptools, with the limits and the strictness that it lacks.

The parser decides where a message begins and ends, and nobody after it: what it cannot tell for certain is refused here
and ends the connection. A request's head, a body that is waited for, and an answer that is not read each have a limit.
"""

import asyncio
from contextlib import suppress
from enum import Enum, auto
from typing import Any, ClassVar, Final, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from appconnect.asgi import Answer
from appconnect.http1.exchange import Cycle, Flow, Writing
from appconnect.http1.limits import Limits, refusals

_SLICE_BYTES: Final = 16_384
"""How much is parsed at a time, so that little is parsed in vain where too many requests come at once."""


class _At(Enum):
    """Where in a message the parser is."""

    START = auto()
    HEAD = auto()
    BODY = auto()


class Http1Protocol(HttpToolsProtocol):
    """One connection."""

    limits: ClassVar[Limits] = Limits()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.parser = httptools.HttpRequestParser(self)  # without the leniencies that uvicorn sets
        self._at = _At.START
        self._is_priming = False  # a parser is being told of a body whose head another one has read
        self._framing: bytes | None = None  # of a body that the parser stopped before
        self._is_over = False  # nothing that comes is a request any more
        self._why = "malformed"
        self._unparsed = b""
        self._fields = self._lingered_bytes = 0
        self._bare_bytes = 0  # since the last of a body: head, trailer, empty lines, extensions of chunks
        self._left_bytes: int | None = 0  # of the body; None for a chunked one
        self._active: Cycle | None = None
        self._deadline: float | None = None
        self._unwritten: tuple[int, float] | None = None  # bytes that wait to be taken, and since when
        self._timer: asyncio.TimerHandle | None = None

    # -- the connection -----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the first head its time."""
        super().connection_made(transport)
        self.flow = Flow(transport, self._go_on_waiting)
        self._await_within(self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching, and tell the request under way, which need not be the last one read."""
        if self._timer is not None:
            self._timer.cancel()
        self._is_over = True
        if self._active is not None and not self._active.response_complete:
            self._active.leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read what came, unless too many requests wait already."""
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
            self._await_within(self.limits.head_seconds)  # an empty line begins no message, and yet keeps us waiting
        if self._is_over:
            self._lingered_bytes += len(data)
            if self._lingered_bytes > self.limits.lingering_bytes:
                self._close()
            return
        if self._at is _At.BODY:
            self._await_within(self.limits.body_seconds)
        self._unparsed += data
        self._parse()

    def _parse(self) -> None:
        try:
            while self._unparsed and not self._is_over and not self._hold():
                piece, self._unparsed = self._unparsed[:_SLICE_BYTES], self._unparsed[_SLICE_BYTES:]
                self._feed(piece)
        except httptools.HttpParserError:
            self._refuse(self._why)
            return
        if self._bare_bytes > self.limits.head_bytes and not self._is_over:
            self._refuse("head")

    def _hold(self) -> bool:
        """Whether so many requests wait for their turn that no more are read."""
        assert isinstance(self.flow, Flow)
        self.flow.is_held = len(self.pipeline) >= self.limits.pipelined_requests
        if self.flow.is_held:
            self.flow.pause_reading()
        return self.flow.is_held

    def _feed(self, data: bytes) -> None:
        """Give bytes to the parser.

        It stops after a head with `Upgrade`, which we ignore (RFC 9110 §7.8): whatever follows is the body that the
        head announces, or the next request, and another parser goes on there.
        """
        self._bare_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as stopped:
            self.parser = httptools.HttpRequestParser(self)
            if self._framing is not None:
                self._is_priming = True
                self.parser.feed_data(b"POST / HTTP/1.1\r\n%s\r\n\r\n" % self._framing)
                self._is_priming, self._framing = False, None
            self._unparsed = data[stopped.args[0] :] + self._unparsed

    # -- the parser's events ------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A head begins."""
        if not self._is_priming:
            super().on_message_begin()
            self._at, self._fields, self._bare_bytes = _At.HEAD, 0, 0
            self._await_within(self.limits.head_seconds)

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        if not self._is_priming:
            super().on_url(url)
            if len(self.url) > self.limits.target_bytes:
                raise self._refused("target")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field. One of a trailer is no header (RFC 9110 §6.5.1): it would come after the decision."""
        if self._is_priming:
            return
        self._fields += 1
        if self._fields > self.limits.fields:
            raise self._refused("head")
        if self._at is _At.HEAD:
            super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        """The head is whole: check what decides where the message ends, and hand it to the application."""
        if self._is_priming:
            return
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self.limits.head_bytes:
            raise self._refused("head")
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["http_version"] = self.parser.get_http_version()
        self._read_framing()
        self._read_target()
        self._at, self._bare_bytes = _At.BODY, 0
        self._await_within(self.limits.body_seconds)
        self._begin()

    def _read_framing(self) -> None:
        """RFC 9112 §6.3; the parser has refused what is not digits, what is said twice, and two kinds of length."""
        if self.scope["http_version"] not in ("1.0", "1.1"):
            raise self._refused("version")
        codings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        if codings and self.scope["http_version"] == "1.0":
            raise self._refused("malformed")  # §6.1: its framing is faulty
        if codings and codings != [b"chunked"]:
            raise self._refused("coding")
        self._left_bytes = None if codings else int(dict(self.headers).get(b"content-length", b"0"))
        if self.parser.should_upgrade() and self._left_bytes != 0:
            length = self._left_bytes
            self._framing = b"Transfer-Encoding: chunked" if length is None else b"Content-Length: %d" % length

    def _read_target(self) -> None:
        """RFC 9112 §3.2: a path, or an http address, whose host is not looked at.

        The other two forms name no resource. A path begins with a slash: it will be put behind the site's address, and
        must not become a part of its host.
        """
        if self.scope["method"] == "CONNECT" or (self.scope["method"] == "OPTIONS" and self.url == b"*"):
            raise self._refused("whole")
        target = httptools.parse_url(self.url)
        path, query = target.path or b"/", target.query or b""
        is_odd = target.fragment is not None or target.userinfo is not None or path[:1] != b"/"
        if is_odd or target.schema not in (None, b"http", b"https"):
            raise self._refused("malformed")
        self.scope["path"] = self.root_path + unquote(path.decode("ascii"))
        self.scope["raw_path"] = self.root_path.encode("ascii") + path
        self.scope["query_string"] = query

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        if self._left_bytes is not None:
            self._left_bytes -= len(body)
        self._bare_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The message is whole, unless the parser has stopped before the body that it has."""
        if self._is_priming or self._framing is not None:
            return
        self._at, self._left_bytes, self._bare_bytes, self._deadline = _At.START, 0, 0, None
        if self.cycle.response_complete:  # the answer came first, and the wait for the next request begins only now
            self._await_within(self.timeout_keep_alive)
        super().on_message_complete()

    def _refused(self, why: str) -> Exception:
        self._why = why
        return ValueError(why)

    # -- requests and answers -----------------------------------------------------------------------------------------

    def _begin(self) -> None:
        is_alone = self.cycle is None or self.cycle.response_complete
        cycle = Cycle(
            scope=self.scope,
            transport=cast(
                "asyncio.Transport", Writing(self.transport, self.finish)
            ),  # all of a transport that it uses
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue and self.scope["http_version"] == "1.1",  # RFC 9110 §10.1.1
            keep_alive=self.scope["http_version"] == "1.1" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        cycle.leaves_much_unread = self._leaves_much_unread
        cycle.invited = self._go_on_waiting
        self.cycle = cycle
        if is_alone:
            self._active = cycle
            self._start_asgi_task(cycle, self.app)
        else:
            self.pipeline.appendleft((cycle, self.app))

    def _leaves_much_unread(self, cycle: Cycle) -> bool:
        """Whether an answer that begins now leaves more of the request's body behind than is worth reading."""
        if cycle is not self.cycle or self._at is not _At.BODY:
            return False
        left = self._left_bytes
        return left is None or left > self.limits.drained_bytes or (left > 0 and cycle.waiting_for_100_continue)

    def on_response_complete(self) -> None:
        """An answer is whole: the next request that waits has its turn, or more are read."""
        if not self.transport.is_closing() and not (self._is_over and not self.pipeline):
            if self.pipeline:
                self._active = cast("Cycle", self.pipeline[-1][0])
            super().on_response_complete()
            if self._unparsed and not self._is_over:
                self._parse()
            self._resume()

    def _resume(self) -> None:
        assert isinstance(self.flow, Flow)
        if not self._hold():
            self.flow.resume_reading()

    def finish(self) -> None:
        """End the connection after the answer: at once, or where a body is still coming, once the client has heard.

        Requests that wait behind it are none (RFC 9112 §9.6).
        """
        self.pipeline.clear()
        if self._at is _At.START and not self._unparsed:
            self._close()
            return
        self._is_over, self._unparsed, self._deadline = True, b"", None
        self._resume()
        with suppress(OSError, RuntimeError):
            self.transport.write_eof()
        self._await_within(self.limits.lingering_seconds)

    def timeout_keep_alive_handler(self) -> None:
        """No request came in time."""
        self._close()

    def _close(self) -> None:
        """Close the connection when what is written has been taken, for which there is a time too."""
        self._is_over, self._deadline = True, None
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self._await_taking()

    def _refuse(self, why: str) -> None:
        """Answer what is no request, in its turn, and end the connection."""
        is_of_body = self._at is _At.BODY
        self._is_over, self._unparsed, self._deadline = True, b"", None
        answer = refusals(self.limits)[why]
        if self.cycle is None or self.cycle.response_complete:
            self._answer(None if is_of_body else answer)
        elif not is_of_body:
            self.cycle.keep_alive = False  # those before it are answered, and the connection ends with the last
        elif self.cycle is self._active:
            has_begun = self.cycle.response_started
            self._active.leave()
            self._answer(None if has_begun else answer)
        else:
            self.pipeline.popleft()
            last = self.pipeline[0][0] if self.pipeline else self._active
            if last is not None:
                last.keep_alive = False

    def _answer(self, answer: Answer | None) -> None:
        if answer is None:  # too late for an error: the client must notice that the answer is cut
            self.transport.abort()
            return
        length = (b"content-length", str(len(answer.body)).encode())
        lines = [b"%s: %s\r\n" % pair for pair in (*answer.headers, length)]
        self.transport.write(b"".join([STATUS_LINE[answer.status], *lines, b"\r\n", answer.body]))
        self._at = _At.BODY  # whatever comes is not a request
        self.finish()

    # -- time ---------------------------------------------------------------------------------------------------------

    def pause_writing(self) -> None:
        """The client does not take its answer as fast as it comes."""
        super().pause_writing()
        self._await_taking()

    def resume_writing(self) -> None:
        """It does again."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._unwritten = None

    def _await_taking(self) -> None:
        self._unwritten = (self.transport.get_write_buffer_size(), self.loop.time())
        self._watch(self.limits.write_seconds)

    def _await_within(self, seconds: float) -> None:
        self._deadline = self.loop.time() + seconds
        self._watch(seconds)

    def _go_on_waiting(self) -> None:
        """The client may go on after it had to wait for us: that time was not its own."""
        if self._deadline is not None and not self._is_over:
            self._await_within(self.limits.head_seconds if self._at is _At.HEAD else self.limits.body_seconds)

    def _watch(self, seconds: float) -> None:
        """One timer for all, set where none is: a deadline that moved on is found when it rings."""
        if self._timer is None or self._timer.when() > self.loop.time() + seconds:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self.loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._timer, now = None, self.loop.time()
        if self._unwritten is not None:
            self._check_written(now)
        if self._deadline is not None and now >= self._deadline:
            self._time_out()
        elif self._deadline is not None:
            self._watch(self._deadline - now)

    def _check_written(self, now: float) -> None:
        assert self._unwritten is not None
        size, (before, since) = self.transport.get_write_buffer_size(), self._unwritten
        if size == before and now - since >= self.limits.write_seconds:
            self.transport.abort()
            return
        self._unwritten = (size, since if size == before else now)
        self._watch(self.limits.write_seconds)

    def _time_out(self) -> None:
        """A deadline has passed: one for the client, where we have not stopped reading ourselves."""
        is_client_waiting = self.flow.read_paused or (self.cycle is not None and self.cycle.waiting_for_100_continue)
        if self._is_over or self._at is _At.START:
            self._close()
        elif is_client_waiting:
            self._await_within(self.limits.body_seconds)
        elif self._at is _At.BODY and self.cycle.response_complete:
            self._close()
        else:
            self._refuse("timeout")
