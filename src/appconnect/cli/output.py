"""What commands print: tables and sentences for people, or with `--json` one JSON value for scripts."""

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from appconnect.control.context import InputError
from appconnect.ports import UpstreamError
from appconnect.settings import SettingsError

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON value, for scripts.")]

_PIPED_COLUMNS = 200
"""How wide a table may be where no terminal gives its width."""

_out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPED_COLUMNS)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


def shown(text: str) -> str:
    """Text without the characters that act on a terminal instead of showing: others have written some of it."""
    return "".join(one if one.isprintable() or one == "\n" else f"\\x{ord(one):02x}" for one in text)


def _text(text: str, style: str = "", **options: Any) -> Text:
    return Text(shown(text), style=style, **options)


def show_json(value: Any) -> None:
    """Print a value as JSON on standard output."""
    print(_json(value))  # noqa: T201


def _json(value: Any) -> str:
    """JSON escapes control characters below the space; the others that act on a terminal are escaped here."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)


def say(text: str = "", *, style: str = "") -> None:
    """Print a line for people, as it is."""
    _out.print(_text(text, style))


def show_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    """Print names and values, one a line."""
    table = Table.grid(padding=(0, 2))
    for name, value in pairs:
        table.add_row(Text(name, style="bold"), _text(value, overflow="fold"))
    _out.print(table)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(_text, row))
    _out.print(table)


def warn(sentences: Iterable[str]) -> None:
    """Print warnings on standard error."""
    for sentence in sentences:
        _err.print(Text.assemble(("Warning: ", "bold yellow"), shown(sentence)))


def show_error(error: Exception) -> None:
    """Print what went wrong: everything at once, where it is and what to do."""
    if "--json" in sys.argv:
        print(_json({"error": _error_content(error)}), file=sys.stderr)  # noqa: T201
        return
    for line in str(error).splitlines() or [type(error).__name__]:
        _err.print(Text.assemble(("Error: ", "bold red"), shown(line)))


def when(at: int | None) -> str:
    """A time (seconds since the epoch) for people, in UTC."""
    return "never" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _error_content(error: Exception) -> dict[str, Any]:
    if isinstance(error, InputError):
        problems = [{"field": one.field, "problem": one.problem, "remedy": one.remedy} for one in error.problems]
        return {"kind": "input", "problems": problems}
    if isinstance(error, SettingsError):
        problems = [{"field": one.name, "problem": one.problem, "remedy": one.remedy} for one in error.problems]
        return {"kind": "settings", "problems": problems}
    if isinstance(error, UpstreamError):
        problem = {"field": error.problem.value, "problem": error.facts, "remedy": error.remedy}
        return {"kind": "wordpress", "problems": [problem]}
    return {"kind": "other", "problems": [{"field": "", "problem": str(error), "remedy": ""}]}


def hint(text: str) -> None:
    """Print a line for people on standard error, where it disturbs no script."""
    _err.print(_text(text))


def waiting(text: str) -> AbstractContextManager[object]:
    """Show that something is being waited for."""
    return _err.status(Text(text))
