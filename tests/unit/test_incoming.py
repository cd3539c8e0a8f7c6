"""The client's side of an exchange: a body ends well only when all that was announced has come."""

import pytest

from appconnect.asgi import ClientGone, Message
from appconnect.gateway.incoming import Incoming


def incoming(*bodies: bytes, content_length: int | None) -> Incoming:
    messages = [{"type": "http.request", "body": body, "more_body": True} for body in bodies]
    messages[-1]["more_body"] = False
    waiting = iter(messages)

    async def receive() -> Message:
        return next(waiting)

    return Incoming(receive, content_length)


async def test_a_body_comes_in_its_pieces():
    assert [chunk async for chunk in incoming(b"one", b"two", content_length=6).chunks()] == [b"one", b"two"]


async def test_a_body_without_an_announced_length_ends_where_it_ends():
    assert [chunk async for chunk in incoming(b"one", content_length=None).chunks()] == [b"one"]


@pytest.mark.parametrize("bodies", [(b"",), (b"one",), (b"one", b"")], ids=["nothing", "a part", "a part and an end"])
async def test_a_body_that_is_too_short_does_not_end_well(bodies):
    """Else WordPress would take the next request on the connection for the rest of it."""
    with pytest.raises(ClientGone):
        [chunk async for chunk in incoming(*bodies, content_length=6).chunks()]
