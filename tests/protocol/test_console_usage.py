"""Activity → Usage: who uses what, and which rules and secrets nobody does."""

from dataclasses import replace

import pytest

from appconnect.control_plane import clock
from appconnect.core.activity import DAY_SECONDS, HOUR_SECONDS, Activity, ClientUse, hour_of
from appconnect.core.audit import AuditEvent, AuditEventType
from appconnect.core.clients import hash_secret
from tests.protocol.administrator import Administrator, signing_in, words
from tests.protocol.conftest import BACKEND, POSTS, Running


@pytest.fixture
async def admin(gateway: Running) -> Administrator:
    return signing_in(gateway)


async def test_usage_is_told_per_client_with_what_is_unused(gateway, admin):
    hour = hour_of(clock())
    use = ClientUse(tokens=3, allowed=4_000, refused=5, last_at=hour + 1)
    gateway.store.activities.write(Activity(client_uses={(BACKEND.id, hour): use}), now=hour)

    page = await admin.sees("/activity/usage")

    assert "ac_backend 4,000 5 3" in words(page)
    assert "ac_stranger 0 0 0 Never" in words(page)
    assert "4,000 allowed, 5 refused, 3 access tokens issued" in words(page)


async def test_a_rule_that_nobody_uses_is_marked_and_leads_to_the_editor(gateway, admin):
    with gateway.store.transaction() as transaction:
        client = gateway.store.snapshot(now=clock()).clients[BACKEND.id]
        policy = gateway.store.snapshot(now=clock()).current_policy(client)
        long_ago = replace(client, created_at=clock() - 40 * DAY_SECONDS)
        transaction.save_client(long_ago, policy, now=clock())
        details = f"x; {', '.join(map(str, policy.rules))}"
        created = AuditEvent(AuditEventType.CLIENT_CREATED, long_ago.created_at, "cli", BACKEND.id, details)
        transaction.record(created)
    used = {(BACKEND.id, f"GET {POSTS}", hour_of(clock())): 7}
    gateway.store.activities.write(Activity(rule_uses=used), now=clock())

    page = await admin.sees("/activity/usage?client=ac_backend")

    assert f"GET {POSTS} 7 in the hour from" in words(page)
    assert f"POST {POSTS} 0 Never Unused" in words(page)
    assert '<a href="/app-connect/clients/ac_backend/edit">Edit client</a>' in page.text


async def test_a_secret_s_last_use_is_told(gateway, admin):
    used = {(BACKEND.id, hash_secret(BACKEND.secret)): 1_700_000_000}
    gateway.store.activities.write(Activity(secret_uses=used), now=clock())

    one = words(await admin.sees("/activity/usage?client=ac_backend"))
    all_of_them = words(await admin.sees("/activity/usage"))

    assert "Nov 14, 2023, 22:13 UTC No end is set" in one
    assert "ac_stranger 0 0 0 Never 9 Never used" in all_of_them


@pytest.mark.parametrize(
    ("query", "quiet"),
    [("", "24 hours"), ("period=month", "30 days"), ("period=nonsense", "24 hours")],
    ids=["a day", "a month", "nonsense"],
)
async def test_a_time_without_requests_is_a_sentence_and_no_chart(admin, query, quiet):
    page = await admin.sees(f"/activity/usage?{query}")

    assert f"{quiet} without requests." in words(page)
    assert '<table class="chart"' not in page.text


async def test_the_chart_has_each_hour_since_the_first_request_and_comes_before_the_list(gateway, admin):
    used = {(BACKEND.id, hour_of(clock()) - 3 * HOUR_SECONDS): ClientUse(allowed=5)}
    gateway.store.activities.write(Activity(client_uses=used), now=clock())

    page = await admin.sees("/activity/usage")

    before, _, after = page.text.partition('<table class="chart"')
    assert after.partition("</table>")[0].count('<th scope="row">') == 4
    assert "Before that, 20 hours without requests." in words(page)
    assert '<table class="list-table"' not in before


async def test_usage_of_an_unknown_client_is_not_found(admin):
    assert (await admin.sees("/activity/usage?client=none")).status_code == 404


async def test_a_page_that_is_none_does_no_harm(admin):
    answers = [await admin.sees(f"/activity/usage?page={page}") for page in ("0", "-1", "x", "99999999999")]

    assert {answer.status_code for answer in answers} == {200}
