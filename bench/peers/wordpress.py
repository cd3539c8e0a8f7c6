"""A real WordPress on nginx and PHP-FPM, called directly with an application password."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.measuring import Peer
from bench.processes import PEER_CORE, on_cores, own_children
from bench.running import Bench
from demo.wordpress.install import create_site
from demo.wordpress.nginx import WORKERS
from demo.wordpress.packages import Release
from demo.wordpress.servers import RunningSite, nginx_fpm
from demo.wordpress.site import NewUser, User, create_application_password, create_users

__all__ = ("NAME", "WORKERS", "as_user", "refusing", "wordpress_site")

NAME: Final = "WordPress itself"
_RELEASE: Final = Release.V6_7_ALPHA


@contextmanager
def wordpress_site(bench: Bench, *users: NewUser) -> Iterator[tuple[RunningSite, tuple[User, ...], tuple[int, ...]]]:
    """A site with more users; gives it, them, and the process IDs of nginx and PHP-FPM."""
    files = create_site(bench.new_folder("wordpress") / "site", _RELEASE, say=bench.say)
    made = create_users(files, *users)
    before = own_children()
    with nginx_fpm(files) as site:
        yield site, made, tuple(own_children() - before)


def as_user(site: RunningSite, user: User, pids: tuple[int, ...]) -> Peer:
    """The site called as one of its users."""
    own = create_application_password(site.site, user)
    basic = b64encode(f"{own.login}:{own.password}".encode()).decode()
    version = f"WordPress {site.site.release} with {WORKERS} workers of PHP-FPM"
    return Peer(NAME, site.url, pids, (f"Authorization: Basic {basic}",), version)


@contextmanager
def refusing(bench: Bench) -> Iterator[Peer]:
    """As a subscriber, who may not write a post; on the core of the peers."""
    with on_cores(PEER_CORE), wordpress_site(bench, NewUser("subscriber", "subscriber")) as (site, users, pids):
        yield as_user(site, users[0], pids)
