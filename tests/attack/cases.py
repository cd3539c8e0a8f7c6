"""Cases that stay: each file of `cases/` has some, each with why it is there and where that comes from.

In a table, each of the `requests` is a case, with each of the headers in `each_header` and each of the `bodies`; in a
request or body `<3 times x>` stands for `xxx`.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from tests.attack.grammar import Attack

FOLDER = Path(__file__).parent / "cases"
_WHAT = frozenset(("client", "requests", "headers", "each_header", "body", "bodies", "chunked"))
_KNOWN = _WHAT | {"why", "source", "status", "code", "ran"}


@dataclass(frozen=True, slots=True)
class Case:
    """A request, and what must come of it: a status, a code, and all that WordPress runs."""

    id: str
    why: str
    source: str
    client: str
    attack: Attack
    status: tuple[int, ...]
    code: str | None
    ran: tuple[str, ...]


def cases() -> Iterator[Case]:
    """Every case of every file."""
    for file in sorted(FOLDER.glob("*.toml")):
        for at, table in enumerate(tomllib.loads(file.read_text())["case"], start=1):
            yield from _read(f"{file.stem} {at}", table)


def _read(where: str, table: dict[str, Any]) -> Iterator[Case]:
    if unknown := table.keys() - _KNOWN:
        raise ValueError(f"{where}: unknown {sorted(unknown)}")
    status = table["status"]
    one_of_each = product(
        table["requests"], table.get("each_header", [""]), table.get("bodies", [table.get("body", "")])
    )
    for number, (request, header, body) in enumerate(one_of_each, start=1):
        method, _, target = _repeated(request).partition(" ")
        headers = (*table.get("headers", ()), *filter(None, (header,)))
        yield Case(
            id=f"{where}.{number}: {table['client']}: {' '.join(filter(None, (request, header)))}",
            why=table["why"],
            source=table["source"],
            client=table["client"],
            attack=Attack(method, target, headers, _repeated(body), table.get("chunked", False)),
            status=tuple(status) if isinstance(status, list) else (status,),
            code=table.get("code"),
            ran=tuple(_repeated("\n".join(table.get("ran", ()))).splitlines()),
        )


def _repeated(text: str) -> str:
    return re.sub(r"<(\d+) times (.+?)>", lambda found: found[2] * int(found[1]), text, flags=re.DOTALL)


def as_toml(client: str, attack: Attack, found: list[str], status: int) -> str:
    """What was found, ready to become a case once it is known what should have come of it."""
    lines = [
        "[[case]]",
        f"why = {_quoted('; '.join(found))}",
        'source = "found by make fuzz"',
        f"client = {_quoted(client)}",
        f"requests = [{_quoted(f'{attack.method} {attack.target}')}]",
        f"headers = [{', '.join(map(_quoted, attack.headers))}]",
        f"body = {_quoted(attack.body)}",
        f"chunked = {str(attack.is_chunked).lower()}",
        f"status = {status}",
        "ran = []",
    ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = "".join(
        f"\\u{ord(each):04x}" if ord(each) < 32 or each in '"\\' or ord(each) > 126 else each for each in text
    )
    return f'"{escaped}"'
