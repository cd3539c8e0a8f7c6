"""Real WordPress sites and a gateway in front of each, shared by the tests of one run.

The cast: `admin` connected the site, `author` is the service user, `stranger` is signed in and has no rights.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from demo.wordpress.install import create_site
from demo.wordpress.packages import Release
from demo.wordpress.servers import RunningSite, nginx_fpm
from demo.wordpress.site import ADMIN, NewUser, create_application_password, create_users, keep
from tests.gateways import Gateway, initialize, serving

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
    gateway = initialize(tmp_path_factory.mktemp("gateway"))
    password = create_application_password(site.site, ADMIN)
    gateway.connect(site.url, password.login, password.password)
    with serving(gateway):
        yield Guarded(site, gateway)
