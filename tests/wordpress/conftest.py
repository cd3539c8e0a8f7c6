"""Real WordPress sites and a gateway in front of each, shared by the tests of one run.

The cast: `admin` connected the site, `author` is the service user, `stranger` is signed in and has no rights.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from appconnect.control import clients
from appconnect.control.clients import Draft
from appconnect.control_plane import clock
from demo.wordpress.install import create_site
from demo.wordpress.packages import Release
from demo.wordpress.servers import RunningSite, nginx_fpm
from demo.wordpress.site import ADMIN, NewUser, User, create_application_password, create_users, keep
from tests.gateways import Gateway, initialize, serving
from tests.wordpress.console import Console, signed_in_console

BACKEND_RULES = ("GET /wp-json/wp/v2/posts", "POST /wp-json/wp/v2/posts")
CAST = (NewUser("author", "author"), NewUser("editor", "editor"), NewUser("stranger", "subscriber"))


@dataclass(frozen=True, slots=True)
class Guarded:
    """A WordPress and the gateway before it."""

    site: RunningSite
    gateway: Gateway


@pytest.fixture(scope="session", params=[Release.V6_7_ALPHA], ids=str)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """The newest WordPress, behind nginx and PHP-FPM."""
    files = create_site(tmp_path_factory.mktemp("site") / "site", request.param)
    create_users(files, *CAST)
    keep(files)
    with nginx_fpm(files) as running:
        yield running


@pytest.fixture(scope="session")
def guarded(site: RunningSite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """That WordPress behind a gateway."""
    with guarding(site, initialize(tmp_path_factory.mktemp("gateway"))) as both:
        yield both


@contextmanager
def guarding(site: RunningSite, gateway: Gateway) -> Iterator[Guarded]:
    """Connect a gateway to a site, as its administrator, and serve it until the block ends."""
    password = create_application_password(site.site, ADMIN)
    upstream = None if site.url == site.home else site.url
    gateway.connect(site.home, password.login, password.password, upstream=upstream)
    with serving(gateway):
        yield Guarded(site, gateway)


def signed_in(site: RunningSite, user: User) -> dict[str, str]:
    """What the browser of a signed-in user sends to the REST API, as the block editor does: cookie and nonce."""
    headers = site.site.php(
        """
        $expires = time() + 3600;
        $token = WP_Session_Tokens::get_instance($id)->create($expires);
        $_COOKIE[LOGGED_IN_COOKIE] = wp_generate_auth_cookie($id, $expires, 'logged_in', $token);
        wp_set_current_user($id);
        echo json_encode([
            'Cookie' => LOGGED_IN_COOKIE . '=' . rawurlencode($_COOKIE[LOGGED_IN_COOKIE]),
            'X-WP-Nonce' => wp_create_nonce('wp_rest'),
        ]);
        """,
        id=user.id,
    )
    return dict(json.loads(headers))


@pytest.fixture
def console(guarded: Guarded) -> Iterator[Console]:
    """The console as the administrator who connected the site sees it."""
    with httpx.Client(base_url=guarded.gateway.url, timeout=60) as http:
        yield signed_in_console(guarded.gateway, http)


@pytest.fixture
def backend(guarded: Guarded) -> Iterator[str]:
    """A client's ID."""
    context = guarded.gateway.context
    saved = clients.add_client(context, Draft(name="Backend", user="author", allow=BACKEND_RULES))
    yield saved.client.id
    if saved.client.id in context.store.snapshot(now=clock()).clients:
        clients.delete_client(context, saved.client.id)


@pytest.fixture
def fresh(guarded: Guarded) -> Iterator[Guarded]:
    """The clients that a test adds are deleted after it."""
    before = set(guarded.gateway.context.store.snapshot(now=clock()).clients)
    yield guarded
    for id_ in set(guarded.gateway.context.store.snapshot(now=clock()).clients) - before:
        clients.delete_client(guarded.gateway.context, id_)
