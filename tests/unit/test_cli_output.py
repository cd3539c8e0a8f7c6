"""What commands print of words that others have written: a name, an error of WordPress's, a refused path."""

import json

import pytest

from appconnect.cli import output

EVIL = "\x1b]0;pwned\x07\x1b[2J\x9b31m\u202eevil"


@pytest.mark.parametrize(
    "prints",
    [
        lambda: output.say(EVIL),
        lambda: output.hint(EVIL),
        lambda: output.warn([EVIL]),
        lambda: output.show_error(ValueError(EVIL)),
        lambda: output.show_pairs([("Name", EVIL)]),
        lambda: output.show_table(["Name"], [[EVIL]]),
        lambda: output.show_json({"name": EVIL}),
    ],
    ids=["line", "hint", "warning", "error", "pairs", "table", "json"],
)
def test_nothing_that_others_wrote_acts_on_the_terminal(prints, capsys):
    prints()

    printed = "".join(capsys.readouterr())
    assert "evil" in printed
    assert not [one for one in printed if not one.isprintable() and one != "\n"]


def test_json_is_the_same_for_a_program(capsys):
    output.show_json({"name": EVIL, "city": "Zürich"})

    printed = capsys.readouterr().out
    assert json.loads(printed) == {"name": EVIL, "city": "Zürich"}
    assert "Zürich" in printed
