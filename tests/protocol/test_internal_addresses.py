"""Where WordPress answers, and which machines stand before it, is known to the gateway and to nobody else."""

from collections.abc import AsyncIterator

import pytest

from appconnect.settings import Settings
from tests.protocol.conftest import POSTS, PUBLIC_URL, SITE_URL, Recorder, Running, reply, running


@pytest.fixture
async def in_a_folder(settings: Settings, upstream: Recorder) -> AsyncIterator[Running]:
    """WordPress is not at the root of its host."""
    async with running(settings, upstream.url, url=f"{SITE_URL}/blog") as application:
        yield application


async def heard(gateway: Running, upstream: Recorder, token: str, name: str, value: str) -> list[str]:
    """The header as it comes to the client; `{internal}` is where WordPress answers, `{port}` its port."""
    said = value.format(internal=upstream.url.removeprefix("http://"), port=upstream.url.rpartition(":")[2])
    upstream.replies = [reply(b"[]", (name, said))]
    answer = await gateway.exchange("GET", POSTS, token=token)
    return [value.decode() for value in answer.values(name.lower())]


@pytest.mark.parametrize(
    ("name", "said", "public"),
    [
        pytest.param("Location", "http://{internal}/wp-json/a?b=c#d", f"{PUBLIC_URL}/wp-json/a?b=c#d", id="Location"),
        pytest.param("Location", "HTTP://{internal}/a", f"{PUBLIC_URL}/a", id="in capitals"),
        pytest.param("Location", "https://{internal}/a", f"{PUBLIC_URL}/a", id="by another scheme"),
        pytest.param("Location", "//{internal}/a", f"{PUBLIC_URL}/a", id="by none"),
        pytest.param("Location", "http://{internal}", PUBLIC_URL, id="without a path"),
        pytest.param(
            "Location", "http://wordpress.example:{port}/a/", f"{PUBLIC_URL}/a/", id="our Host with the server's port"
        ),
        pytest.param("Content-Location", "http://{internal}/a", f"{PUBLIC_URL}/a", id="Content-Location"),
        pytest.param("Link", '<http://{internal}/a>; rel="x"', f'<{PUBLIC_URL}/a>; rel="x"', id="Link"),
        pytest.param(
            "Link",
            f"<http://{{internal}}/a>; rel=x, <{SITE_URL}/b>; rel=y",
            f"<{PUBLIC_URL}/a>; rel=x, <{PUBLIC_URL}/b>; rel=y",
            id="two in a Link",
        ),
        pytest.param(
            "Link",
            "<http://{internal}/a?rest_route=%2Fa&b=c>; rel=x",
            f"<{PUBLIC_URL}/a?b=c>; rel=x",
            id="with the pin",
        ),
        pytest.param("Refresh", "5; url=http://{internal}/a", f"5; url={PUBLIC_URL}/a", id="Refresh"),
        pytest.param(
            "WWW-Authenticate",
            'Basic realm="http://{internal}/a", x=y',
            f'Basic realm="{PUBLIC_URL}/a", x=y',
            id="WWW-Authenticate",
        ),
        pytest.param("X-Pingback", "http://{internal}/xmlrpc.php", f"{PUBLIC_URL}/xmlrpc.php", id="any other"),
    ],
)
async def test_the_address_behind_us_becomes_the_public_one(
    gateway: Running, upstream: Recorder, token: str, name: str, said: str, public: str
):
    """RFC 9110 §10.2.2; web servers write redirects of their own with whatever address they know."""
    assert await heard(gateway, upstream, token, name, said) == [public]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("Location", "http://{internal}0/", id="a port that begins alike"),
        pytest.param("Location", "http://{internal}.attacker.example/", id="a host that begins alike"),
        pytest.param("Location", "http://{internal}@attacker.example/", id="a user's name"),
        pytest.param("Access-Control-Allow-Origin", SITE_URL, id="what the client has said itself"),
        pytest.param("X-Total", "{port}", id="a number"),
    ],
)
async def test_what_only_looks_like_it_is_left_alone(
    gateway: Running, upstream: Recorder, token: str, name: str, said: str
):
    expected = said.format(internal=upstream.url.removeprefix("http://"), port=upstream.url.rpartition(":")[2])
    assert await heard(gateway, upstream, token, name, said) == [expected]


@pytest.mark.parametrize(
    "name",
    ["Via", "X-Varnish", "X-Cache", "X-Cache-Lookup", "X-Served-By", "X-Backend", "X-Backend-Server", "Server"],
)
async def test_the_machines_in_between_are_not_named(gateway: Running, upstream: Recorder, token: str, name: str):
    """RFC 9110 §7.6.3: who stands at the border of a network should not tell the names in it."""
    assert await heard(gateway, upstream, token, name, "1.1 cache-7.internal:6081") == []


@pytest.mark.parametrize("name", ["X-WP-Total", "ETag", "Age", "X-Request-ID", "Vary"])
async def test_what_a_client_needs_is_kept(gateway: Running, upstream: Recorder, token: str, name: str):
    assert await heard(gateway, upstream, token, name, "7") == ["7"]


async def test_a_site_in_a_folder_is_known_by_its_folder(in_a_folder: Running, upstream: Recorder):
    """What stands beside the folder is not WordPress's, and is not known by the internal address either."""
    token = await in_a_folder.token()
    assert await heard(in_a_folder, upstream, token, "Location", "http://{internal}/blog/a") == [f"{PUBLIC_URL}/a"]
    assert await heard(in_a_folder, upstream, token, "Location", "http://{internal}/shop") == [f"{PUBLIC_URL}/shop"]
