"""A real WordPress for the pages to be followed on, and a shell that follows them."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from demo.wordpress.install import create_site
from demo.wordpress.packages import Release
from demo.wordpress.servers import RunningSite, builtin
from demo.wordpress.site import NewUser, create_users
from tests.docs.pages import ROOT
from tests.gateways import clean_environment, free_port

SERVICE_USER = NewUser("api-bot", "author")
_INSTALLED_FROM = ("pyproject.toml", "uv.lock", "README.md", "LICENSE", "src", "scripts")
_COMMAND_SECONDS = 300


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A WordPress with the service user that the pages name."""
    files = create_site(tmp_path_factory.mktemp("site") / "site", Release.V6_7_ALPHA)
    create_users(files, SERVICE_USER)
    with builtin(files) as running:
        yield running


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the package is installed from, so that following a page leaves this checkout alone."""
    copy = tmp_path_factory.mktemp("checkout") / "app-connect"
    copy.mkdir()
    for name in _INSTALLED_FROM:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, copy / name)
    return copy


@dataclass(slots=True)
class Terminal:
    """A shell in which one command follows another: folder and environment are kept, jobs stay in the background.

    `substitutes` are what a page writes and what stands there on this machine: host, port, credentials.
    """

    state: Path
    substitutes: dict[str, str]
    environment: dict[str, str]
    said: str = ""
    _jobs: list[int] = field(default_factory=list)
    _count: int = 0

    def run(self, command: str, *, typed: str = "") -> str:
        """Run a command of a page and give what it prints; a status other than 0 is a failure."""
        for shown, real in self.substitutes.items():
            command = command.replace(shown, real)
        self._count += 1
        output = self.state.with_suffix(f".{self._count}")  # a job in the background goes on writing to its own
        script = f". {self.state}\n{command}\nstatus=$?\n(export -p; echo \"cd '$PWD'\") >{self.state}\nexit $status\n"
        with output.open("wb") as stream:
            process = subprocess.Popen(
                ["bash", "-c", script],
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # no terminal: passwords are asked for on standard input
            )
            process.communicate(typed.encode(), timeout=_COMMAND_SECONDS)
        if command.endswith("&"):
            self._jobs.append(process.pid)
        self.said = output.read_text()
        assert process.returncode == 0, f"{command}\n{self.said}"
        return self.said

    def close(self) -> None:
        """End the jobs in the background."""
        for group in self._jobs:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGTERM)


@pytest.fixture
def terminal(checkout: Path, site: RunningSite, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal in the checkout."""
    port = str(free_port())
    state = tmp_path / "state"
    state.write_text(f"cd '{checkout}'\n")
    (tmp_path / ".curlrc").write_text("silent\nshow-error\n")  # its meter would stand in the middle of the answer
    own_programs = str(Path(sys.executable).parent)
    path = os.pathsep.join(part for part in clean_environment()["PATH"].split(os.pathsep) if part != own_programs)
    environment = clean_environment(
        PATH=path,
        CURL_HOME=str(tmp_path),
        BROWSER="true",  # the page of WordPress that is opened; here the password is made without it
        APP_CONNECT_PORT=port,
        APP_CONNECT_PUBLIC_URL=f"http://127.0.0.1:{port}",
    )
    for name in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"):
        environment.pop(name, None)
    substitutes = {
        "https://your-site.com": site.url,
        "8080": port,
        "~/gateway": str(tmp_path / "gateway"),
    }
    opened = Terminal(state, substitutes, environment)
    yield opened
    opened.close()
