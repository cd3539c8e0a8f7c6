"""A secret shows itself only where somebody asks for it."""

import json
import traceback

import pytest

from appconnect.core.secret import Secret

PASSWORD = Secret("acs_abcdef")


def test_reveal_gives_the_text_back():
    assert PASSWORD.reveal() == "acs_abcdef"


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param(str(PASSWORD), id="str"),
        pytest.param(repr(PASSWORD), id="repr"),
        pytest.param(f"{PASSWORD}", id="an f-string"),
        pytest.param(f"{PASSWORD!r}", id="an f-string with repr"),
        pytest.param("%s" % PASSWORD, id="percent formatting"),  # noqa: UP031
        pytest.param("{}".format(PASSWORD), id="format"),  # noqa: UP032
    ],
)
def test_it_prints_without_its_text(shown):
    assert shown == "Secret()"


def test_a_value_that_holds_one_prints_without_its_text():
    assert str({"password": [PASSWORD]}) == "{'password': [Secret()]}"


def test_a_traceback_shows_no_text():
    error = ValueError(PASSWORD)
    assert "acs_abcdef" not in "".join(traceback.format_exception(error))


def test_it_does_not_become_json():
    with pytest.raises(TypeError):
        json.dumps(PASSWORD)


def test_it_is_immutable():
    with pytest.raises(AttributeError):
        PASSWORD._text = "other"  # type: ignore[misc]  # noqa: SLF001


def test_two_with_the_same_text_are_equal():
    assert Secret("acs_abcdef") == PASSWORD


def test_it_is_not_equal_to_its_text():
    text: object = "acs_abcdef"
    assert text != PASSWORD
