"""However an answer is cut into reads, it is the same answer; and what is not whole never ends well."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appconnect.site.upstream_reading import AnswerReader, BrokenAnswer
from tests.protocol.upstreams import chunked, head, split

bodies = st.binary(max_size=300)
interims = st.lists(
    st.sampled_from((head(status="100 Continue"), head("Link: </a>", status="103 Early Hints"))), max_size=5
)
cuts = st.lists(st.integers(0, 700), max_size=30)
trailers = st.sampled_from((b"", b"A: b\r\n", b"A: b\r\nX-Long: " + b"c" * 50 + b"\r\n"))
counted = bodies.map(lambda body: (head("A: b", f"Content-Length: {len(body)}") + body, body))
in_chunks = st.builds(
    lambda pieces, trailer: (
        head("A: b", "Transfer-Encoding: chunked") + chunked(*pieces, trailer=trailer),
        b"".join(pieces),
    ),
    st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    trailers,
)
framed = counted | in_chunks
"""Bytes that tell their own end, and the body that they are."""


def read(*pieces: bytes, is_head: bool = False) -> AnswerReader:
    reader = AnswerReader(is_head=is_head)
    for piece in pieces:
        reader.feed(piece)
    return reader


@given(framed, interims, cuts)
def test_an_answer_that_tells_its_end_is_the_same_in_any_pieces(said, before, where):
    wire, body = said
    reader = read(*split(b"".join(before) + wire, where))
    assert (reader.status, reader.headers[0], b"".join(reader.take())) == (200, (b"a", b"b"), body)
    assert (reader.is_whole, reader.is_reusable) == (True, True)


@given(bodies, interims, cuts)
def test_an_answer_until_the_end_of_the_connection_is_the_same_in_any_pieces(body, before, where):
    reader = read(*split(b"".join(before) + head("A: b") + body, where))
    assert not reader.is_whole
    reader.end()
    assert (reader.status, b"".join(reader.take())) == (200, body)
    assert (reader.is_whole, reader.is_reusable) == (True, False)


@given(framed, interims, st.integers(1, 400), cuts)
def test_a_part_of_an_answer_is_never_whole(said, before, missing, where):
    """RFC 9112 §8."""
    wire = b"".join(before) + said[0]
    reader = read(*split(wire[:-missing], where))
    assert not reader.is_whole
    with pytest.raises(BrokenAnswer):
        reader.end()


@given(framed, st.binary(min_size=1, max_size=50) | framed.map(lambda said: said[0]), cuts)
def test_what_follows_an_answer_is_no_part_of_it_and_ends_the_connection(said, extra, where):
    """RFC 9112 §9.2, where it comes in the same read as the end; what comes later meets an idle connection."""
    wire, body = said
    reader = AnswerReader(is_head=False)
    pieces = [*split(wire[:-1], where), wire[-1:] + extra]
    for piece in pieces:
        reader.feed(piece)
    assert (reader.is_whole, reader.is_reusable, b"".join(reader.take())) == (True, False, body)


garbage = st.builds(
    lambda begin, rest: begin + rest.replace(b"0", b""),
    st.sampled_from((b"", head("Transfer-Encoding: chunked"), head("Content-Length: 1000"), b"HTTP/1.1 200 OK\r\n")),
    st.binary(max_size=200),
)
"""Without a zero, it holds neither a last chunk, nor a status or a length without content."""


@given(garbage, cuts)
def test_garbage_is_broken_or_waited_for_and_never_whole(wire, where):
    reader = AnswerReader(is_head=False)
    with suppress(BrokenAnswer):
        for piece in split(wire, where):
            reader.feed(piece)
    assert not reader.is_whole
