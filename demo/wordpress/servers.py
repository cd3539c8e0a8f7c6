"""Serve a site on loopback: PHP's built-in server for the demo, nginx with PHP-FPM or Apache where that matters.

Each is a context manager that yields when WordPress's PHP answers, and stops what it started when the block ends.
"""

import contextlib
import http.client
import os
import secrets
import shutil
import signal
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from demo.wordpress.apache import apache_text
from demo.wordpress.debian import fpm_program, program
from demo.wordpress.install import write_config
from demo.wordpress.nginx import WORKERS, Certificate, Listener, fpm_text, nginx_text
from demo.wordpress.processes import READY_SECONDS, PortTaken, Servers
from demo.wordpress.site import ADMIN, PHP_SETTINGS, Permalinks, Site, User, php_options, tail

_ATTEMPTS = 5
_PHP_FILES = Path(__file__).with_name("php")


@dataclass(frozen=True, slots=True)
class RunningSite:
    """A site that answers: `url` is where it listens, `home` is what WordPress takes for its address."""

    url: str
    home: str
    site: Site
    logs: tuple[Path, ...]
    admin: User = ADMIN

    def rest(self, route: str) -> str:
        """The address of a REST route such as `/wp/v2/posts`, for this site's kind of permalinks."""
        if self.site.permalinks is Permalinks.PRETTY:
            return f"{self.url}/wp-json{route}"
        return f"{self.url}/index.php?rest_route={quote(route)}"

    def log(self) -> str:
        """The ends of all logs, to be shown where a test failed."""
        return "\n".join(f"--- {path.name}\n{tail(path)}" for path in self.logs if path.exists())


@contextmanager
def builtin(site: Site, *, port: int = 0, home: str | None = None) -> Iterator[RunningSite]:
    """Serve `site` with PHP's built-in server and four workers.

    Args:
        site: Its `wp-config.php` is written anew with the address.
        port: 0 for a free one.
        home: WordPress's own address, where it is not the one on which the server listens, as behind a gateway.
            Where it begins with `https:`, PHP is told that each request came so.

    Raises:
        ServerFailed: It ended or did not answer.
        PortTaken: `port` is in use.

    """

    def start(port: int, running: ExitStack) -> RunningSite:
        url = f"http://127.0.0.1:{port}"
        public = home or url
        log = _empty_server_folder(site) / "php.log"
        write_config(site, home=public)
        servers = Servers([log], running)
        # On SIGINT, unlike SIGTERM, its leader waits for the workers and leaves no zombies.
        servers.start(_builtin_command(site, port, https=public.startswith("https:")), log, stop=signal.SIGINT)
        _wait_until_ready(site, url, None, servers)
        return RunningSite(url, public, site, (log, site.debug_log))

    with ExitStack() as running:
        yield _start_on(port, start, running)


@contextmanager
def nginx_fpm(
    site: Site,
    *,
    port: int = 0,
    home: str | None = None,
    certificate: Certificate | None = None,
    says_https: bool | None = None,
    passes_authorization: bool = True,
) -> Iterator[RunningSite]:
    """Serve `site` with nginx and four workers of PHP-FPM.

    Args:
        site: Its `wp-config.php` is written anew with the address.
        port: 0 for a free one.
        home: WordPress's own address, where it is not the one on which nginx listens, as behind a gateway.
        certificate: With one, nginx speaks TLS only.
        says_https: Whether PHP gets `HTTPS=on`; None is the truth, that is, whether `home` begins with `https:`.
        passes_authorization: False keeps `Authorization` from PHP, as Apache with CGI does.

    Raises:
        ServerFailed: One of the two ended, or there was no answer.
        PortTaken: `port` is in use.

    """

    def start(port: int, running: ExitStack) -> RunningSite:
        url = f"https://{certificate.host}:{port}" if certificate else f"http://127.0.0.1:{port}"
        public = home or url
        folder = _empty_server_folder(site)
        write_config(site, home=public)
        # A socket's path has at most 107 bytes, and the folders of tests are deep.
        socket_folder = running.enter_context(tempfile.TemporaryDirectory(prefix="wordpress-"))
        fpm_socket = Path(socket_folder) / "fpm"
        https = public.startswith("https:") if says_https is None else says_https
        listener = Listener(port, certificate, says_https=https, passes_authorization=passes_authorization)
        (folder / "php-fpm.conf").write_text(fpm_text(folder, fpm_socket))
        (folder / "nginx.conf").write_text(nginx_text(site, folder, fpm_socket, listener))
        logs = [folder / name for name in ("php-fpm.out", "php-fpm.log", "nginx.out", "nginx.log", "access.log")]
        servers = Servers(logs, running)
        servers.start(_fpm_command(folder), folder / "php-fpm.out")
        servers.wait_for(fpm_socket.exists)
        servers.start(_nginx_command(folder), folder / "nginx.out")
        _wait_until_ready(site, url, certificate, servers)
        return RunningSite(url, public, site, (*logs, site.debug_log))

    with ExitStack() as running:
        yield _start_on(port, start, running)


@contextmanager
def apache_mod_php(site: Site, *, port: int = 0, home: str | None = None) -> Iterator[RunningSite]:
    """Serve `site` with Apache and `mod_php`, which obey its `.htaccess`.

    Args:
        site: One of `classic.classic_site`: Apache's workers are never root, and it lets them in. Its `wp-config.php`
            is written anew with the address.
        port: 0 for a free one.
        home: WordPress's own address, where it is not the one on which Apache listens, as behind a gateway.
            Where it begins with `https:`, PHP gets `HTTPS=on`.

    Raises:
        ServerFailed: Apache ended, or there was no answer.
        PortTaken: `port` is in use.

    """

    def start(port: int, running: ExitStack) -> RunningSite:
        url = f"http://127.0.0.1:{port}"
        public = home or url
        folder = _empty_server_folder(site)
        write_config(site, home=public)
        configuration = folder / "apache.conf"
        configuration.write_text(apache_text(site, folder, port, says_https=public.startswith("https:")))
        logs = [folder / name for name in ("apache.out", "apache.log", "access.log")]
        servers = Servers(logs, running)
        servers.start([program("apache2"), "-f", str(configuration), "-DFOREGROUND"], folder / "apache.out")
        _wait_until_ready(site, url, None, servers)
        return RunningSite(url, public, site, (*logs, site.debug_log))

    with ExitStack() as running:
        yield _start_on(port, start, running)


def _builtin_command(site: Site, port: int, *, https: bool) -> list[str]:
    environment = {
        "PHP_CLI_SERVER_WORKERS": str(WORKERS),
        "WORDPRESS_PERMALINKS": str(site.permalinks),
        "WORDPRESS_HTTPS": "on" if https else "off",
    }
    settings = PHP_SETTINGS | {
        "auto_prepend_file": str(_PHP_FILES / "prepend.php"),
        "display_errors": "0",
        "opcache.enable_cli": "1",
    }
    return [
        "env",
        *(f"{name}={value}" for name, value in environment.items()),
        program("php"),
        *php_options(settings),
        *("-S", f"127.0.0.1:{port}", "-t", str(site.document_root), str(_PHP_FILES / "router.php")),
    ]


def _fpm_command(folder: Path) -> list[str]:
    as_root = ["--allow-to-run-as-root"] if os.geteuid() == 0 else []
    return [fpm_program(), "--nodaemonize", *as_root, "--fpm-config", str(folder / "php-fpm.conf")]


def _nginx_command(folder: Path) -> list[str]:
    return [program("nginx"), "-e", str(folder / "nginx.log"), "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _start_on(port: int, start: Callable[[int, ExitStack], RunningSite], running: ExitStack) -> RunningSite:
    """Start on `port`, or on a free one: between finding it and listening somebody may take it, so try a few."""
    for _ in range(1 if port else _ATTEMPTS):
        with ExitStack() as attempt:
            try:
                site = start(port or free_port(), attempt)
            except PortTaken:
                continue
            running.push(attempt.pop_all())
            return site
    raise PortTaken(f"Port {port} of 127.0.0.1 is in use." if port else f"{_ATTEMPTS} free ports were taken meanwhile.")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
        return number


def _empty_server_folder(site: Site) -> Path:
    folder = site.folder / "server"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _wait_until_ready(site: Site, url: str, certificate: Certificate | None, servers: Servers) -> None:
    """Return when PHP answers at `url` from this very site: another server may have taken the port.

    Raises:
        ServerFailed: A server ended, or 30 s went by.
        PortTaken: A server ended because of the port.

    """
    token = secrets.token_hex(8)
    probe = site.document_root / f"ready-{token}.php"
    probe.write_text(f"<?php echo '{token}';")
    try:
        servers.wait_for(lambda: _answer(url, f"/{probe.name}", certificate) == token)
    finally:
        probe.unlink()


def _answer(url: str, path: str, certificate: Certificate | None) -> str | None:
    """The body that a GET brings, or None where nobody answers properly."""
    with contextlib.closing(_connection(urlsplit(url).netloc, certificate)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return None


def _connection(address: str, certificate: Certificate | None) -> http.client.HTTPConnection:
    if certificate is None:
        return http.client.HTTPConnection(address, timeout=READY_SECONDS)
    context = ssl.create_default_context(cafile=str(certificate.authority))
    return http.client.HTTPSConnection(address, timeout=READY_SECONDS, context=context)
