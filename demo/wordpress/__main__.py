"""Have everything in place that real WordPress sites and a real browser need, so that tests find it there."""

import sys

from demo.wordpress.classic import ensure_classic_template
from demo.wordpress.debian import FOR_APACHE, FOR_BROWSER, FOR_NGINX, PackagesMissing, ensure_installed
from demo.wordpress.install import ensure_template
from demo.wordpress.packages import AXE, Release, fetch
from demo.wordpress.watched import CommandFailed


def main() -> None:
    """Install, download and prepare; says what it does, and nothing where all is there."""
    try:
        # All at once: with nginx among them, the package `wordpress` asks for no second web server.
        ensure_installed(tuple(dict.fromkeys((*FOR_NGINX, *FOR_APACHE, *FOR_BROWSER, "curl"))), say=print)
        for release in Release:
            ensure_template(release, say=print)
        ensure_classic_template(say=print)
        fetch((AXE,), say=print)
    except (PackagesMissing, CommandFailed) as problem:
        sys.exit(str(problem))


main()
