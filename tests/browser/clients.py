"""The clients that the browser tests look at."""

from collections.abc import Iterator
from contextlib import contextmanager

from appconnect.control.clients import delete_client
from tests.gateways import Gateway, Registered

POSTS = "GET /wp-json/wp/v2/posts"
PUBLISH = "POST /wp-json/wp/v2/posts"
ME = "GET /wp-json/wp/v2/users/me"


@contextmanager
def client(gateway: Gateway, *rules: str, name: str = "Backend Service", user: str = "author") -> Iterator[Registered]:
    """A client until the block ends, or until the test deletes it."""
    registered = gateway.add_client(name, user, *rules)
    yield registered
    if registered.client_id in gateway.context.store.snapshot(now=0).clients:
        delete_client(gateway.context, registered.client_id)
        gateway.catch_up()
