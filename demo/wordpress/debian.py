"""PHP, web servers, a database server and a browser from Debian's or Ubuntu's packages: install only what is missing.

The generic names (`php-cli`, not `php8.2-cli`) lead to the release's own PHP: 8.2 on Debian 12, 8.3 on Ubuntu 24.04.
"""

import os
import platform
import shlex
import shutil
import subprocess
from pathlib import Path

from demo.wordpress.watched import CommandFailed, Say, run_watched

PHP_EXTENSIONS = {
    "php-sqlite3": "pdo_sqlite",
    "php-mbstring": "mbstring",
    "php-xml": "dom",
    "php-curl": "curl",
    "php-gd": "gd",
    "php-intl": "intl",
    "php-mysql": "mysqli",
}
"""Package → the name by which `php -m` lists what it brings."""

_FOR_WORDPRESS = ("php-cli", "php-mbstring", "php-xml", "php-curl", "php-gd", "php-intl")

FOR_BUILTIN_SERVER = (*_FOR_WORDPRESS, "php-sqlite3")
"""Enough for `servers.builtin`, which the demo uses."""

FOR_NGINX = (*FOR_BUILTIN_SERVER, "php-fpm", "nginx")
"""What `servers.nginx_fpm` needs."""

FOR_APACHE = (*_FOR_WORDPRESS, "php-mysql", "apache2-bin", "libapache2-mod-php", "mariadb-server-core", "wordpress")
"""What `classic.classic_site` and `servers.apache_mod_php` need: programs, and no service of the system."""

FOR_BROWSER = ("chromium", "fonts-dejavu-core")
"""What the browser tests need; one family of fonts, sans-serif and mono, so that pictures have text."""

WORDPRESS = Path("/usr/share/wordpress")
"""Where the package `wordpress` has its files."""

APACHE_MODULES = Path("/usr/lib/apache2/modules")
"""Where the packages of Apache and `mod_php` have theirs."""

_PROGRAMS = {"php-cli": "php", "apache2-bin": "apache2", "mariadb-server-core": "mariadbd"}
"""Package → its program, where that has another name."""

_BROWSERS = ("chromium", "google-chrome")  # not chromium-browser: on Ubuntu that is a script which says "install it"
_FONTS = Path("/usr/share/fonts")
_NO_SNAP = """\
The browser tests need Chromium, which Ubuntu has as a snap only. Run this, then try again:
  sudo snap install chromium
Or install Google's Chrome; its program google-chrome will do."""

_SYSTEM_PROGRAMS = "/usr/sbin:/usr/local/sbin:/sbin"  # where they are, and an ordinary user's PATH does not lead

_INSTALL = r"""
set -eu
export DEBIAN_FRONTEND=noninteractive
policy=/usr/sbin/policy-rc.d
trap 'exit 1' HUP INT TERM
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
install() {
    apt-get -q -y -o DPkg::Lock::Timeout=120 install --no-install-recommends --no-remove "$@"
}
install "$@" || { apt-get -q update; install "$@"; }
"""
# policy-rc.d answering 101 is Debian's way to say that no service is to be started by a package (invoke-rc.d(8)).
# --no-remove: whoever has MySQL's server, which MariaDB's replaces, is asked to decide.


class PackagesMissing(RuntimeError):
    """Something is missing that cannot be installed from here; the message has the command that does."""


def ensure_installed(packages: tuple[str, ...], *, say: Say) -> None:
    """Install those of `packages` whose programs or PHP extensions are not there yet. Starts no service.

    Raises:
        PackagesMissing: no apt-get here, neither root nor a `sudo` that asks for no password, or a browser that
            apt-get cannot bring.
        CommandFailed: apt-get failed.

    """
    missing = missing_of(packages)
    if not missing:
        return
    names = " ".join(missing)
    if shutil.which("apt-get") is None:
        raise PackagesMissing(f"This needs what Debian calls {names}; install it by this system's own means.")
    if "chromium" in missing and _is_ubuntu():
        raise PackagesMissing(_NO_SNAP)
    say(f"Installing {names}")
    command = [*_root_prefix(missing), "sh", "-c", _INSTALL, "install", *missing]
    try:
        run_watched(command, say=say, progress=lambda seconds: f"  apt-get: {seconds:.0f} s so far")
    except CommandFailed as failure:
        raise CommandFailed(f"apt-get could not install {names}.\n{failure}") from failure
    if still := missing_of(packages):
        raise PackagesMissing(f"{' '.join(still)} was installed, but the programs on PATH are others.")


def missing_of(packages: tuple[str, ...]) -> tuple[str, ...]:
    """Those of `packages` whose program or PHP extension is not there, however it would have come."""
    loaded = _loaded_extensions()
    return tuple(name for name in packages if not _is_there(name, loaded))


def program(name: str) -> str:
    """The path of a system program such as `nginx`.

    Raises:
        PackagesMissing: it is not installed.

    """
    path = shutil.which(name) or shutil.which(name, path=_SYSTEM_PROGRAMS)
    if path is None:
        raise PackagesMissing(f"{name} is not installed.")
    return path


def fpm_program() -> str:
    """The path of the php-fpm of the same release as `php`.

    Raises:
        PackagesMissing: it is not installed.

    """
    return program(f"php-fpm{_php_release()}")


def browser_program() -> str:
    """The path of Chromium.

    Raises:
        PackagesMissing: it is not installed.

    """
    for name in _BROWSERS:
        if path := shutil.which(name):
            return path
    raise PackagesMissing("chromium is not installed.")


def mod_php() -> Path:
    """The path of Apache's module of the same release as `php`.

    Raises:
        PackagesMissing: it is not installed.

    """
    module = APACHE_MODULES / f"libphp{_php_release()}.so"
    if not module.exists():
        raise PackagesMissing("libapache2-mod-php is not installed.")
    return module


def wordpress_version() -> str:
    """The package's version of WordPress, such as `6.1.9`.

    Raises:
        PackagesMissing: it is not installed.

    """
    file = WORDPRESS / "wp-includes" / "version.php"
    if not file.exists():
        raise PackagesMissing("wordpress is not installed.")
    return subprocess.run(
        [program("php"), "-r", "require $argv[1]; echo $wp_version;", "--", str(file)],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def _php_release() -> str:
    return subprocess.run(
        [program("php"), "-r", "echo PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION;"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def _is_there(package: str, loaded: frozenset[str]) -> bool:
    if package in PHP_EXTENSIONS:
        return PHP_EXTENSIONS[package] in loaded
    try:
        match package:
            case "php-fpm":
                fpm_program()
            case "libapache2-mod-php":
                mod_php()
            case "wordpress":
                wordpress_version()
            case "chromium":
                browser_program()
            case "fonts-dejavu-core":
                return any(_FONTS.rglob("DejaVuSansMono.ttf"))
            case _:
                program(_PROGRAMS.get(package, package))
    except PackagesMissing:
        return False
    return True


def _is_ubuntu() -> bool:
    return platform.freedesktop_os_release().get("ID") == "ubuntu"


def _loaded_extensions() -> frozenset[str]:
    if shutil.which("php") is None:
        return frozenset()
    listing = subprocess.run(["php", "-m"], check=True, capture_output=True, text=True).stdout
    return frozenset(listing.lower().split())


def _root_prefix(packages: tuple[str, ...]) -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and _succeeds("sudo", "-n", "true"):
        return ["sudo", "-n"]
    command = shlex.join(["sudo", "apt-get", "install", "--no-install-recommends", *packages])
    raise PackagesMissing(f"Installing packages needs root. Run this, then try again:\n  {command}")


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
