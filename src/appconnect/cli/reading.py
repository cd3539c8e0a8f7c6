"""Reading what options name: secrets, rules, durations."""

import re
from pathlib import Path
from typing import Final

import typer

from appconnect.control.context import InputError
from appconnect.core.secret import Secret

_DURATION: Final = re.compile(r"(\d{1,9})([smhd]?)")
_UNIT_SECONDS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


def read_text(file: Path, option: str, *, remedy: str = "Name a text file.") -> str:
    """What is in a text file, or on standard input for `-`."""
    try:
        return typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError.of(option, f"{file} cannot be read: {error}.", remedy) from error


def read_secret(file: Path | None, option: str) -> Secret | None:
    """A secret from a file; without the newline at its end."""
    if file is None:
        return None
    remedy = "Name a text file with the password."
    text = read_text(file, option, remedy=remedy).strip()
    if not text:
        raise InputError.of(option, f"{file} is empty.", remedy)
    return Secret(text)


def read_rules(allow: list[str] | None, file: Path | None) -> tuple[str, ...]:
    """The rules of `--allow` and those in a file, one a line; # begins a comment."""
    lines = read_text(file, "--allow-file").splitlines() if file is not None else []
    stripped = (line.partition("#")[0].strip() for line in lines)
    return (*(allow or ()), *(line for line in stripped if line))


def read_seconds(text: str, option: str) -> int:
    """A duration as people write it."""
    found = _DURATION.fullmatch(text.strip().lower())
    if found is None:
        raise InputError.of(option, f"{text!r} is not a duration.", "Write 0, or a number with s, m, h or d: 24h.")
    return int(found[1]) * _UNIT_SECONDS[found[2]]
