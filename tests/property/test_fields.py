"""A block of fields means the same whenever it is read, whatever was read before (RFC 9112 §5)."""

import re

from hypothesis import given
from hypothesis import strategies as st

from appconnect.core.fields import read_fields

WHOLE_LINES = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*")
"""The grammar of a block, in one piece."""

names = st.sampled_from((b"A", b"a", b"Content-Type", b"X_1", b"", b"A ", b"\xe4", b"A\0"))
colons = st.sampled_from((b":", b": ", b":\t ", b"", b" :"))
values = st.sampled_from((b"", b"b", b"b:c", b" b ", b"\xe4", b"\x7f", b"\0", b"b\rc", b"b\nc", b"b" * 300))
ends = st.sampled_from((b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"", b"\r\n\r\n", b"\r\n "))
blocks = st.lists(st.tuples(names, colons, values, ends).map(b"".join), max_size=4).map(b"".join)


def expected(block: bytes) -> tuple[tuple[bytes, bytes], ...] | None:
    if WHOLE_LINES.fullmatch(block) is None:
        return None
    parted = [line.partition(b":") for line in block.split(b"\r\n")[:-1]]
    return tuple((name.lower(), value.strip(b" \t")) for name, _, value in parted)


@given(blocks | st.binary(max_size=60))
def test_a_block_is_read_by_its_grammar_the_first_time_and_the_second(block):
    assert read_fields(block) == expected(block)
    assert read_fields(block) == expected(block)


@given(st.integers(0, 5000))
def test_a_line_is_itself_among_many(number):
    blocks = [b"A: %d\r\n" % other for other in (number, *range(3000), number)]
    read = [read_fields(block) for block in blocks]
    assert read == [expected(block) for block in blocks]
