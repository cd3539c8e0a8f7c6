"""Every command that a page shows is one that there is, with the options that it has."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from appconnect.cli.commands import app
from tests.docs.pages import PAGES, ROOT, code_spans, commands, name

_MAKE = re.compile(r"\bmake ([a-z]+)\b")
_SEPARATORS = frozenset(("&&", "||", "|", ";", "&"))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_app_connect_command_parses(page: Path):
    run = [words for text in commands(page) for words in _app_connect(text)]
    named = [words for text in code_spans(page) for words in _app_connect(text)]
    problems = (*map(_problem, run), *(_problem(words, may_be_a_name=True) for words in named))
    wrong = [problem for problem in problems if problem is not None]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_target_exists(page: Path):
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = [target for text in (*commands(page), *code_spans(page)) for target in _MAKE.findall(text)]
    assert [target for target in named if target not in targets] == []


def test_a_wrong_command_is_found():
    assert _problem(["clients", "create"]) is not None
    assert _problem(["clients", "list", "--all"]) is not None
    assert _problem(["clients", "show"]) is not None
    assert _problem(["clients", "show"], may_be_a_name=True) is None
    assert _problem(["clients", "show", "CLIENT", "--json"]) is None
    assert _problem(["--gateway", "URL", "--ca-file", "FILE", "clients", "show", "CLIENT"]) is None
    assert _problem(["--gate", "URL", "clients", "show", "CLIENT"]) is not None


def _app_connect(text: str) -> list[list[str]]:
    """The arguments of each `app-connect` in a line of shell."""
    if "app-connect" not in text:
        return []
    found: list[list[str]] = []
    is_ours = False
    begins = True
    for word in shlex.split(text, comments=True):
        if word in _SEPARATORS:
            is_ours, begins = False, True
        elif begins:
            is_ours, begins = word == "app-connect", False
            found += [[]] if is_ours else []
        elif is_ours:
            found[-1].append(word)
    return found


def _after_global_options(root: Any, words: list[str]) -> list[str]:
    """The command and what follows; an option that there is not stays, and is then no command."""
    options = {name: option for option in root.params for name in option.opts}
    rest = list(words)
    while rest and rest[0] in options:
        option = options[rest.pop(0)]
        del rest[: 0 if option.is_flag else 1]
    return rest


def _problem(words: list[str], *, may_be_a_name: bool = False) -> str | None:
    """What the command line itself would complain about; prose may name a command without its arguments."""
    command: Any = typer.main.get_command(app)
    rest = _after_global_options(command, words)
    while rest and rest[0] in getattr(command, "commands", ()):
        command = command.commands[rest.pop(0)]
    if hasattr(command, "commands"):
        return None if may_be_a_name and not rest else f"{shlex.join(words)} is no command"
    if may_be_a_name and not rest:
        return None
    try:
        command.make_context("app-connect", rest)
    except Exception as error:  # noqa: BLE001 - Typer's own errors have no public name
        return f"{shlex.join(words)}: {error}"
    return None
