"""RFC 9112 §9.3: connections to WordPress are used again, whatever the size of what came over them."""

import pytest

from tests.protocol.conftest import Recorder, Running, reply


@pytest.mark.parametrize("size", [0, 10, 8_000, 300_000])
async def test_requests_one_after_the_other_share_a_connection(
    gateway: Running, upstream: Recorder, token: str, size: int
):
    upstream.otherwise = reply(b"x" * size)
    for _ in range(4):
        assert len((await gateway.get(token)).content) == size
    assert len({request.connection for request in upstream.requests}) == 1
