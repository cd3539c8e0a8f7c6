"""What our reading of requests accepts, llhttp without leniencies (httptools) accepts too, and understands alike."""

from dataclasses import dataclass, field
from typing import Any

import httptools
from hypothesis import example, given, settings
from hypothesis import strategies as st

from appconnect.core.chunked import ChunkedError, ChunkedReader
from appconnect.core.request import Pair
from appconnect.http1.head import BadHead, read_framing, read_line
from appconnect.http1.limits import Limits

LIMITS = Limits()


@dataclass
class Message:
    """What a parser makes of bytes: requests one after the other, the last of which may not be whole."""

    targets: list[bytes] = field(default_factory=list)
    fields: list[Pair] = field(default_factory=list)
    body: bytes = b""
    is_whole: bool = False


def read_by_us(raw: bytes) -> Message | None:
    head, end, rest = raw.partition(b"\r\n\r\n")
    line, _, block = (head + b"\r\n").partition(b"\r\n")
    if not end:
        return None
    try:
        _, path, query, is_latest = read_line(line, LIMITS)
        framing = read_framing(block, LIMITS)
        if framing.is_chunked and not is_latest:
            return None
        body, is_whole = _body(rest, framing.length)
    except (BadHead, ChunkedError):
        return None
    target = path + (b"?" + query if query else b"")
    return Message([target], list(framing.fields), body, is_whole)


def _body(rest: bytes, length: int | None) -> tuple[bytes, bool]:
    if length is not None:
        return rest[:length], len(rest) >= length
    reader = ChunkedReader(max_bare_bytes=LIMITS.head_bytes, max_trailers=LIMITS.fields)
    return b"".join(reader.feed(rest)), reader.is_whole


class Peer:
    """llhttp's events of the first message."""

    def __init__(self) -> None:
        self.message, self.url, self.in_head = Message(), b"", True
        self.parser = httptools.HttpRequestParser(self)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.in_head and not self.message.is_whole:
            self.message.fields.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self.in_head = False

    def on_body(self, body: bytes) -> None:
        if not self.message.is_whole:
            self.message.body += body

    def on_message_complete(self) -> None:
        self.message.is_whole = True

    def read(self, raw: bytes) -> Message | None:
        try:
            self.parser.feed_data(raw)
        except httptools.HttpParserUpgrade:
            return self.message
        except httptools.HttpParserError:
            return self.message if self.message.is_whole else None
        return self.message


tokens = st.sampled_from([b"Host", b"X-A", b"Accept", b"Content-Type", b"x_b", b"X!#"])
values = st.sampled_from([b"a", b"", b" a ", b"\ta", b"a b", b"\xe9", b"a,b", b'"q"', b"100"])
lengths = st.sampled_from([b"0", b"3", b" 3", b"3 ", b"03", b"+3", b"3,3", b"0x3", b"", b"18446744073709551617"])
codings = st.sampled_from([b"chunked", b"Chunked", b" chunked", b"gzip, chunked", b"chunked, chunked", b"identity"])
fields = st.one_of(
    st.tuples(tokens, values),
    st.tuples(st.sampled_from([b"Content-Length", b"content-length"]), lengths),
    st.tuples(st.just(b"Transfer-Encoding"), codings),
    st.tuples(st.just(b"Connection"), st.sampled_from([b"close", b"keep-alive", b"Upgrade", b"x"])),
)
lines = st.builds(
    lambda method, target, version: method + b" " + target + b" " + version,
    st.sampled_from([b"GET", b"POST", b"DELETE", b"PROPFIND", b"get", b"FOO"]),
    st.sampled_from([b"/", b"/a?b=c", b"/a?b?c", b"//a", b"/%41", b"/a'b", b"*", b"a"]),
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/1.2", b"http/1.1"]),
)
bodies = st.sampled_from(
    [
        b"",
        b"abc",
        b"abcGET / HTTP/1.1\r\n\r\n",
        b"3\r\nabc\r\n0\r\n\r\n",
        b"3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n",
        b"3\nabc\n0\n\n",
    ]
)


def _assemble(line: bytes, named: list[Pair], body: bytes) -> bytes:
    return line + b"\r\n" + b"".join(name + b":" + value + b"\r\n" for name, value in named) + b"\r\n" + body


@st.composite
def messages(draw: Any) -> bytes:
    """A message, mostly as it should be; now and then bytes are put in, taken out or exchanged."""
    raw = bytearray(_assemble(draw(lines), draw(st.lists(fields, max_size=4)), draw(bodies)))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        at = draw(st.integers(0, len(raw)))
        put = draw(
            st.sampled_from([b"\r", b"\n", b"\r\n", b" ", b"\t", b":", b"\0", b"\x7f", b"\x0b", b"a", b"0", b""])
        )
        raw[at : at + draw(st.integers(0, 1))] = put
    return bytes(raw)


@settings(max_examples=2000)
@given(messages())
@example(b"GET / HTTP/1.1\r\nTransfer-Encoding:chunked\r\n\r\n3;\r\nx=y\r\n0\r\n\r\n")
def test_what_we_accept_another_strict_parser_understands_alike(raw: bytes):
    """RFC 9112 §11.2: where two readers differ, one request hides in another."""
    ours = read_by_us(raw)
    if ours is None:
        return
    theirs = Peer().read(raw)
    assert theirs is not None, "we accept what it refuses"
    assert ours.fields == theirs.fields
    is_upgrade = any(name == b"upgrade" for name, _ in ours.fields)
    if not is_upgrade:
        assert (ours.body, ours.is_whole) == (theirs.body, theirs.is_whole)


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=5), st.data())
def test_a_chunked_body_is_the_same_however_it_is_cut(pieces: list[bytes], data: st.DataObject):
    raw = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n" + b"GET"
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    reader, body = ChunkedReader(max_bare_bytes=1000, max_trailers=10), b""
    rest = b""
    for begin, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        if reader.is_whole:
            rest += raw[begin:end]
        else:
            body += b"".join(reader.feed(raw[begin:end]))
            rest = reader.rest
    assert (body, reader.is_whole, rest) == (b"".join(pieces), True, b"GET")
