"""Have everything in place that real WordPress sites need, so that tests find it there."""

import sys

from demo.wordpress.debian import FOR_NGINX, PackagesMissing, ensure_installed
from demo.wordpress.install import ensure_template
from demo.wordpress.packages import Release
from demo.wordpress.watched import CommandFailed


def main() -> None:
    """Install, download and prepare; says what it does, and nothing where all is there."""
    try:
        ensure_installed((*FOR_NGINX, "curl"), say=print)
        for release in Release:
            ensure_template(release, say=print)
    except (PackagesMissing, CommandFailed) as problem:
        sys.exit(str(problem))


main()
