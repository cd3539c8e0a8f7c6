"""The console's Activity: refusals, audit events and usage, as they are shown and exported."""

import csv
import html
import io
import json
import re
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl

import pytest

from appconnect.control import clients, switches
from appconnect.core.activity import DAY_SECONDS, Activity, Refusal
from appconnect.core.audit import AuditEvent, AuditEventType
from tests.protocol.administrator import CONSOLE, Administrator, signing_in, value, words
from tests.protocol.conftest import BACKEND, STRANGER, TOKEN, Running, eventually

PAGES: Final = ("/activity", "/activity/events", "/activity/usage")
FILES: Final = ("/activity/refusals.csv", "/activity/refusals.jsonl", "/activity/events.csv", "/activity/events.jsonl")
REFUSAL: Final = Refusal(
    1_700_000_000,
    BACKEND.id,
    "no_rule",
    "GET",
    "/wp-json/wp/v2/pages",
    "a=1&b=2",
    "GET /wp-json/wp/v2/pages",
    "192.0.2.1",
)
NOVEMBER_14: Final = 1_699_920_000  # 2023-11-14, in UTC
SIGNED_IN: Final = "console.signed_in"


@pytest.fixture
async def admin(gateway: Running) -> Administrator:
    return signing_in(gateway)


def keep(gateway: Running, *refusals: Refusal, **counters: Any) -> None:
    """As the flusher would; `now` is long ago, so that nothing is too old."""
    gateway.store.activities.write(Activity(refusals, **counters), now=REFUSAL.at)


def record(gateway: Running, *events: AuditEvent) -> None:
    with gateway.store.transaction() as transaction:
        for event in events:
            transaction.record(event)


def rows(text: str) -> list[str]:
    """The rows of the list, as somebody reads them."""
    found = re.findall(r"<tr>(.*?)</tr>", text.partition("<tbody>")[2] or text, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]*>", " ", row)).split()) for row in found]


# -- who may ----------------------------------------------------------------------------------------------------------


async def test_a_stranger_is_sent_to_sign_in(gateway):
    answers = [await gateway.http.get(CONSOLE + path) for path in (*PAGES, *FILES)]

    assert {answer.status_code for answer in answers} == {303}
    assert {answer.headers["location"].partition("?")[0] for answer in answers} == {"/app-connect/sign-in"}


async def test_looking_and_exporting_change_nothing(gateway, admin):
    revision = gateway.store.revision()

    answers = [await admin.sees(path) for path in (*PAGES, *FILES)]

    assert {answer.status_code for answer in answers} == {200}
    assert gateway.store.revision() == revision


# -- refusals ---------------------------------------------------------------------------------------------------------


async def test_a_refused_request_is_shown_with_its_reason_and_the_rule_that_would_allow_it(gateway, admin, token):
    await gateway.get(token, "/wp-json/wp/v2/pages?search=a+b")

    async def is_recorded() -> bool:
        return "/wp/v2/pages" in (await admin.sees("/activity")).text

    await eventually(is_recorded)
    (row,) = rows((await admin.sees("/activity")).text)
    assert row.startswith("GET /wp-json/wp/v2/pages?search=a%20b Try a Request")
    assert "ac_backend from 192.0.2.1 Not on the allowlist Would be allowed by GET /wp-json/wp/v2/pages" in row


async def test_each_refusal_leads_to_the_same_request_tried(gateway, admin):
    keep(gateway, REFUSAL)

    page = await admin.sees("/activity")

    query = "method=GET&amp;path=%2Fwp-json%2Fwp%2Fv2%2Fpages%3Fa%3D1%26b%3D2"
    assert f'href="/app-connect/clients/ac_backend/try?{query}"' in page.text


@pytest.mark.parametrize(
    "refusal",
    [replace(REFUSAL, client_id=None), replace(REFUSAL, client_id="ac_deleted"), replace(REFUSAL, path=TOKEN)],
    ids=["no known client", "a deleted client", "the token endpoint"],
)
async def test_what_cannot_be_tried_has_no_link(gateway, admin, refusal):
    keep(gateway, refusal)

    page = await admin.sees("/activity")

    assert refusal.path in page.text
    assert "/try?" not in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("client=ac_stranger", ["/b"]),
        ("reason=embed_off", ["/b"]),
        ("text=/A", ["/a"]),
        ("since=2023-11-15", ["/b"]),
        ("until=2023-11-14", ["/a"]),
        ("since=2023-11-14&until=2023-11-15", ["/b", "/a"]),
        ("since=2023-11-16", []),
        ("period=month", []),
        ("period=hour&since=2023-11-15", ["/b"]),
        ("period=nonsense", ["/b", "/a"]),
    ],
)
async def test_refusals_are_filtered(gateway, admin, query, found):
    later = replace(REFUSAL, at=NOVEMBER_14 + DAY_SECONDS, client_id=STRANGER.id, code="embed_off")
    keep(gateway, replace(REFUSAL, path="/a", query=""), replace(later, path="/b", query=""))

    page = await admin.sees(f"/activity?{query}")

    assert [row.split()[1] for row in rows(page.text)] == found


@pytest.mark.parametrize(
    ("query", "field", "problem"),
    [
        ("since=yesterday", "since", "'yesterday' is not a day."),
        ("until=2023-02-30", "until", "'2023-02-30' is not a day."),
        ("since=2023-11-15&until=2023-11-14", "until", "It ends before it begins."),
        ("since=%3Cscript%3E", "since", "'<script>' is not a day."),
    ],
    ids=["words", "no such day", "backwards", "markup"],
)
async def test_a_wrong_day_is_explained_and_kept(admin, query, field, problem):
    page = await admin.sees(f"/activity?{query}&text=abc")

    assert page.status_code == 400
    assert problem in words(page)
    assert f'href="#{field}"' in page.text
    assert value(page, "text") == "abc"
    assert value(page, field) == dict(parse_qsl(query))[field]


async def test_a_wrong_day_is_explained_by_every_list_and_in_the_place_of_a_file(admin):
    answers = [await admin.sees(f"{path}?since=yesterday") for path in ("/activity/events", *FILES)]

    assert {answer.status_code for answer in answers} == {400}
    assert all("'yesterday' is not a day." in words(answer) for answer in answers)


async def test_older_refusals_are_a_page_away_with_the_same_filter(gateway, admin):
    keep(gateway, *(replace(REFUSAL, path=f"/{number}", query="") for number in range(60)))

    first = await admin.sees("/activity?client=ac_backend")
    way = html.unescape(re.findall(r'href="/app-connect(/activity\?[^"]*older=[^"]*)"', first.text)[0])
    second = await admin.sees(way)

    assert [row.split()[1] for row in rows(first.text)][:1] == ["/59"]
    assert "client=ac_backend" in way
    assert [row.split()[1] for row in rows(second.text)] == [f"/{number}" for number in range(9, -1, -1)]
    assert 'href="/app-connect/activity?client=ac_backend">Newest' in second.text


async def test_what_was_lost_is_said(gateway, admin):
    keep(gateway, REFUSAL, lost=1_234)

    assert "1,234 records of that time were lost" in words(await admin.sees("/activity?since=2023-11-14"))
    assert "were lost" not in words(await admin.sees("/activity?since=2023-11-16"))


async def test_a_request_is_text_and_never_markup(gateway, admin):
    evil = "<script>alert(1)</script>"
    keep(gateway, replace(REFUSAL, path=f"/{evil}", query=evil, method=evil, code=evil, rule=evil, address=evil))

    page = await admin.sees("/activity")

    assert evil in words(page)
    assert evil not in page.text


async def test_an_empty_list_says_what_it_is_for(admin):
    assert "A request that App Connect refuses is listed here" in words(await admin.sees("/activity"))
    assert "No refused request matches the filter." in words(await admin.sees("/activity?text=zzz"))


async def test_refusals_are_exported_as_they_are_filtered(gateway, admin):
    keep(gateway, REFUSAL, replace(REFUSAL, client_id=STRANGER.id, path="=1+1"))

    table = await admin.sees("/activity/refusals.csv?client=ac_stranger")
    lines = await admin.sees("/activity/refusals.jsonl?client=ac_backend")

    assert table.headers["content-disposition"] == 'attachment; filename="refusals.csv"'
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert [row["path"] for row in csv.DictReader(io.StringIO(table.text))] == ["'=1+1"]
    assert [json.loads(line)["path"] for line in lines.text.splitlines()] == [REFUSAL.path]


async def test_a_long_export_is_whole(gateway, admin):
    keep(gateway, *(replace(REFUSAL, path=f"/{number}") for number in range(1_200)))

    lines = (await admin.sees("/activity/refusals.jsonl")).text.splitlines()

    assert [json.loads(line)["path"] for line in lines] == [f"/{number}" for number in range(1_199, -1, -1)]


# -- events -----------------------------------------------------------------------------------------------------------


async def test_what_an_administrator_did_is_shown_in_words(gateway, admin):
    await admin.does("/settings/api/disable")

    first, *_ = rows((await admin.sees("/activity/events")).text)

    assert first.startswith("Settings changed API disabled settings admin (console)")


async def test_an_event_of_a_client_leads_to_it(gateway, admin):
    clients.set_enabled(gateway.context, BACKEND.id, is_enabled=False)

    page = await admin.sees("/activity/events?type=client.disabled")

    assert '<a href="/app-connect/clients/ac_backend">ac_backend</a>' in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=console.signed_in", ["Signed in"]),
        ("actor=CLI", ["Settings changed"]),
        ("subject=settings", ["Settings changed"]),
        ("text=lifetime", ["Settings changed"]),
        ("until=2023-11-14", ["Settings changed"]),
        ("period=hour", ["Signed in"]),
    ],
)
async def test_events_are_filtered(gateway, admin, query, found):
    event = AuditEvent(
        AuditEventType.SETTINGS_CHANGED, NOVEMBER_14, "cli:root", "settings", "token lifetime 60 seconds"
    )
    record(gateway, event)

    page = await admin.sees(f"/activity/events?{query}")

    assert [" ".join(row.split()[:2]) for row in rows(page.text)] == found


async def test_an_unknown_kind_of_event_is_explained(admin):
    page = await admin.sees("/activity/events?type=nonsense")

    assert page.status_code == 400
    assert "There is no such kind of event." in words(page)


async def test_an_event_is_text_and_never_markup(gateway, admin):
    evil = "<script>alert(1)</script>"
    record(gateway, AuditEvent(AuditEventType.SIGNED_IN, 1, f"console:{evil}", evil, evil))

    page = await admin.sees("/activity/events")

    assert evil in words(page)
    assert evil not in page.text


async def test_events_are_exported_as_they_are_filtered(gateway, admin):
    record(gateway, AuditEvent(AuditEventType.SETTINGS_CHANGED, 1, "=cmd", "settings", "x"))

    table = await admin.sees("/activity/events.csv?type=settings.changed")
    lines = await admin.sees("/activity/events.jsonl?type=console.signed_in")

    assert table.headers["content-disposition"] == 'attachment; filename="audit-events.csv"'
    assert [row["actor"] for row in csv.DictReader(io.StringIO(table.text))] == ["'=cmd"]
    assert [json.loads(line)["subject"] for line in lines.text.splitlines()] == ["admin"]


# -- the newest events, without reloading -----------------------------------------------------------------------------


def poll(text: str) -> str:
    """Where a page asks for what is newer."""
    return html.unescape(re.findall(r'hx-get="/app-connect([^"]*)"', text)[0])


async def newer(admin: Administrator, path: str) -> str:
    return (await admin.sees(path, **{"HX-Request": "true"})).text


async def test_only_what_is_newer_comes_and_it_comes_once(gateway, admin):
    page = (await admin.sees("/activity/events")).text
    switches.set_api(gateway.context, is_enabled=True)

    first = await newer(admin, poll(page))
    switches.set_token_lifetime(gateway.context, 60)
    second = await newer(admin, poll(first))
    third = await newer(admin, poll(second))

    assert [row.split(" settings")[0] for row in rows(first)] == ["Settings changed API enabled"]
    assert [row.split(" settings")[0] for row in rows(second)] == ["Settings changed token lifetime 60 seconds"]
    assert rows(third) == []
    assert "<html" not in first


async def test_the_newest_keep_to_the_filter(gateway, admin):
    page = (await admin.sees("/activity/events?type=console.signed_in")).text
    switches.set_api(gateway.context, is_enabled=True)

    assert rows(await newer(admin, poll(page))) == []


async def test_the_same_address_gives_the_whole_page_to_a_browser(admin):
    path = poll((await admin.sees("/activity/events")).text)

    page = await admin.sees(path)

    assert "<html" in page.text
    assert page.headers["vary"] == "HX-Request"
    assert len(rows(page.text)) == 1


@pytest.mark.parametrize("query", ["older=2", "until=2099-01-01"], ids=["an older page", "a page with an end"])
async def test_a_page_that_nothing_new_belongs_to_does_not_ask(gateway, admin, query):
    record(gateway, AuditEvent(AuditEventType.SETTINGS_CHANGED, 1, "cli", "settings", ""))

    assert "hx-get" not in (await admin.sees(f"/activity/events?{query}")).text


async def test_a_mark_that_is_not_ours_begins_anew(admin):
    marks = ("", "1", "a.b", "1.2.3", "9999999999999999.1", "-1.0")

    parts = [await newer(admin, f"/activity/events?mark={mark}") for mark in marks]

    assert [len(rows(part)) for part in parts] == [1] * len(marks)
