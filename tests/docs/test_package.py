"""The wheel that `uv build` makes installs and runs as `app-connect`, with what it declares and nothing else."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def uv(*arguments: str | Path, folder: Path) -> None:
    ran = subprocess.run(
        ["sh", ROOT / "scripts/uv.sh", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )
    assert ran.returncode == 0, ran.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A new environment with nothing but the wheel and its dependencies; its folder of programs."""
    folder = tmp_path_factory.mktemp("package")
    uv("build", "--wheel", "--out-dir", folder, ROOT, folder=folder)
    uv("venv", folder / "environment", folder=folder)
    wheel = next(folder.glob("*.whl"))
    uv("pip", "install", "--python", folder / "environment/bin/python", wheel, folder=folder)
    return Path(folder, "environment/bin")


def test_the_wheel_installs_the_command(installed):
    ran = subprocess.run([installed / "app-connect", "--version"], capture_output=True, text=True, check=True)
    assert ran.stdout == "app-connect 0.1.0\n"


def test_the_installed_command_sets_up_a_gateway(installed, tmp_path):
    """Migrations, which are no modules that anything imports, are in the wheel too."""
    subprocess.run([installed / "app-connect", "init"], cwd=tmp_path, capture_output=True, check=True)
    assert (tmp_path / "app-connect.db").stat().st_size > 0
