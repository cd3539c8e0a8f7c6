"""The classic stack: Debian's own package of WordPress with a MariaDB server, to be served by `servers.apache_mod_php`.

As with the other sites WordPress is installed once, and a site is a copy of that.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from demo.wordpress.apache import WEB_USER
from demo.wordpress.debian import WORDPRESS, program, wordpress_version
from demo.wordpress.install import (
    install_wordpress,
    link_or_copy,
    set_permalinks,
    write_config,
    write_plugin,
    write_salts,
)
from demo.wordpress.mariadb import create_data, mariadb
from demo.wordpress.packages import CACHE, appearing_at_once, cache_lock
from demo.wordpress.site import EnvironmentType, Permalinks, Site, keep
from demo.wordpress.watched import Say

_THEME = Path(__file__).with_name("php") / "plain-theme"  # the package has none
_RECIPE = ("classic.py", "install.py", "mariadb.py", "site.py", "php/plain-theme/index.php")

_WRITE_HTACCESS = """
require ABSPATH . 'wp-admin/includes/admin.php';
add_filter('got_rewrite', '__return_true');  // Apache is not there to be asked
$wp_rewrite->flush_rules(true);
"""


@contextmanager
def classic_site(*, plugins: Mapping[str, str] | None = None, say: Say = print) -> Iterator[Site]:
    """A site in a folder of its own, with the must-use `plugins` (file name → PHP text), whose database server runs.

    It has the administrator `ADMIN`, one post, one page, pretty permalinks and the type local. When the block ends the
    server is stopped and the folder is gone. What is not in the cache yet is installed first, in about five seconds;
    after that it takes a fraction of one.

    Raises:
        PackagesMissing: Debian's packages are not there (`debian.FOR_APACHE`).
        ServerFailed: MariaDB did not start.

    """
    template = ensure_classic_template(say=say)
    with _folder_of_web_server() as folder:
        site = _site_in(folder)
        shutil.copytree(template / "wordpress", site.document_root, copy_function=link_or_copy)
        shutil.copyfile(template / "htaccess", site.document_root / ".htaccess")
        shutil.copytree(template / "mariadb", folder / "mariadb")
        for name, text in (plugins or {}).items():
            write_plugin(site, name, text)
        write_salts(site)
        write_config(site, home="http://127.0.0.1")
        _let_both_write(site)
        with _database_of(site):
            yield site


def ensure_classic_template(*, say: Say = print) -> Path:
    """The folder with Debian's WordPress installed; made now if it is not there, in about five seconds.

    Raises:
        PackagesMissing: Debian's packages are not there (`debian.FOR_APACHE`).
        CommandFailed: MariaDB's installer failed.
        ServerFailed: MariaDB did not start.

    """
    template = CACHE / f"template-classic-{_recipe()}"
    with cache_lock():
        if not template.exists():
            say(f"Installing Debian's WordPress {wordpress_version()}")
            for outdated in CACHE.glob("template-classic-*"):
                shutil.rmtree(outdated)
            with appearing_at_once(template) as target, tempfile.TemporaryDirectory(prefix="wordpress-") as folder:
                _install_template(_site_in(Path(folder)), target)
    return template


def _recipe() -> str:
    """Changes whenever what is installed, or how, changes."""
    wordpress_version()  # says so where the package is missing
    versions = [
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
        for command in (["dpkg-query", "--show", "wordpress"], [program("mariadbd"), "--version"])
    ]
    texts = [(Path(__file__).parent / name).read_text() for name in _RECIPE]
    return hashlib.sha256("\n".join([*versions, *texts]).encode()).hexdigest()[:12]


def _install_template(site: Site, target: Path) -> None:
    debians_own = shutil.ignore_patterns("wp-config.php", ".htaccess")  # those lead to /etc/wordpress
    shutil.copytree(WORDPRESS, site.document_root, ignore=debians_own, ignore_dangling_symlinks=True)
    shutil.copytree(_THEME, site.content / "themes" / _THEME.name)
    create_data(site.folder / "mariadb")
    with _database_of(site):
        install_wordpress(site)
        set_permalinks(site, site.permalinks)
        site.php(f"switch_theme('{_THEME.name}');")
        site.php(_WRITE_HTACCESS)
        keep(site)
    (site.document_root / "wp-config.php").unlink()
    shutil.move(site.document_root / ".htaccess", target / "htaccess")
    for part in ("wordpress", "mariadb"):
        shutil.move(site.folder / part, target)


def _site_in(folder: Path) -> Site:
    socket = folder / "mariadb.sock"
    return Site(folder, wordpress_version(), Permalinks.PRETTY, EnvironmentType.LOCAL, mariadb_socket=socket)


@contextmanager
def _folder_of_web_server() -> Iterator[Path]:
    """A folder that only we and Apache's workers may enter.

    Not below one of the caller's: what is in a folder of root's alone, such as pytest's, they cannot reach. And a
    socket's path has at most 107 bytes.
    """
    with tempfile.TemporaryDirectory(prefix="wordpress-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, group=WEB_USER)
            folder.chmod(0o750)
        yield folder


def _let_both_write(site: Site) -> None:
    """Let root's command line and Apache's workers write; WordPress gives a new folder its parent's permissions."""
    site.content.chmod(0o777)
    site.debug_log.touch()
    site.debug_log.chmod(0o666)


@contextmanager
def _database_of(site: Site) -> Iterator[None]:
    assert site.mariadb_socket is not None
    with mariadb(site.folder / "mariadb", site.mariadb_socket):
        yield
