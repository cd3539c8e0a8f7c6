"""`make bench`: every question in turn, on one real WordPress and one gateway."""

import platform
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

from bench import added_latency, token_endpoint, worker
from bench.setting import Setting, set_up
from demo.wordpress.debian import FOR_NGINX, PackagesMissing, ensure_installed
from demo.wordpress.watched import CommandFailed

QUESTIONS = (worker, added_latency, token_endpoint)


def main() -> None:
    """Set up once, then answer each question."""
    try:
        ensure_installed(FOR_NGINX, say=print)
        with ExitStack() as running:
            folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
            setting = set_up(folder, running)
            _print_versions(setting)
            for question in QUESTIONS:
                print(f"\n{(question.__doc__ or '').splitlines()[0]}")
                question.run(setting)
    except (PackagesMissing, CommandFailed) as problem:
        sys.exit(str(problem))


def _print_versions(setting: Setting) -> None:
    packages = ", ".join(f"{name} {version(name)}" for name in ("app-connect", "uvicorn", "aiohttp", "joserfc"))
    print(
        f"Python {platform.python_version()}, {packages}; WordPress {setting.site.site.release} on nginx and PHP-FPM."
    )
    print("Peers alternate with us, request by request; absolute times depend on the machine, ratios less so.")


main()
