"""The console's words for what is recorded as codes: none is missing, whoever adds one."""

import re
from importlib.resources import files
from importlib.resources.abc import Traversable

import pytest

from appconnect.console.activity_words import EVENTS, REASONS, actor_in_words, why
from appconnect.console.client_users import suggested_login
from appconnect.console.settings_sessions import browser_name
from appconnect.control.durations import duration
from appconnect.control.role_names import role_names
from appconnect.core.audit import AuditEventType
from appconnect.core.decision import Reason
from appconnect.oauth.errors import ErrorCode

_RAISED = re.compile(r'(?:Refused|refusal)\(\s*\w+,\s*"(?:app_connect_)?(\w+)"')
_REPLACED = "forbidden_request"  # the gateway's `forbidden` records the decision's reason in its place


def source(folder: Traversable) -> str:
    return "\n".join(file.read_text() for file in folder.iterdir() if file.name.endswith(".py"))


def test_every_code_of_a_refusal_has_words():
    package = files("appconnect")
    raised = set(_RAISED.findall(source(package / "core") + source(package / "gateway"))) - {_REPLACED}

    assert len(raised) > 25
    assert {*raised, *Reason, *ErrorCode} == set(REASONS)


def test_an_unknown_code_stands_for_itself():
    assert why("from_a_newer_version").reason == "from_a_newer_version"


def test_every_audit_event_has_words_of_its_own():
    assert set(EVENTS) == set(AuditEventType)
    assert len(set(EVENTS.values())) == len(EVENTS)


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        ("console:admin", "admin (console)"),
        ("cli:root", "root (command line)"),
        ("api:Deployment: nightly", "Deployment: nightly (administrator token)"),
        ("gateway", "gateway"),
        ("client ac_1", "client ac_1"),
        ("other:thing", "other:thing"),
    ],
)
def test_an_actor_is_named_with_the_place_that_they_acted_from(actor, words):
    assert actor_in_words(actor) == words


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/17.5 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/126.0 Safari/537.36", "Chrome without a window on Linux"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("Word " * 20, "Word " * 11 + "Word…"),
        ("x" * 80, "x" * 60 + "…"),
        ("", "an unknown browser"),
    ],
)
def test_a_browser_is_named_as_people_call_it(user_agent, name):
    assert browser_name(user_agent) == name


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (61, "61 seconds"), (60, "1 minute"), (5400, "90 minutes"), (3600, "1 hour"), (86_400, "1 day")],
)
def test_a_duration_is_told_in_the_largest_whole_unit(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("slugs", "names"),
    [
        (("author",), "Author"),
        (("shop_manager", "editor"), "Editor, Shop manager"),
        (("press-office",), "Press office"),
        ((), "No role"),
    ],
    ids=["core's", "several", "the site's own", "none"],
)
def test_roles_are_named_as_wordpress_shows_them(slugs, names):
    assert role_names(slugs) == names


@pytest.mark.parametrize(
    ("name", "login"),
    [
        ("Backend Service", "backend-service-bot"),
        ("API bot", "api-bot"),
        ("Bestände & Größen", "bestande-grossen-bot"),
        ("x" * 100, "x" * 50 + "-bot"),
        ("在庫", ""),
    ],
    ids=["words", "a bot already", "accents", "long", "no Latin letter"],
)
def test_a_client_s_name_becomes_a_login(name, login):
    assert suggested_login(name) == login
