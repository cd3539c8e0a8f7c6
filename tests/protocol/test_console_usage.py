"""Activity → Usage: who uses what, and which rules and secrets nobody does."""

from dataclasses import replace

import pytest

from appconnect.app import clock
from appconnect.core.activity import DAY_SECONDS, Activity, ClientUse, hour_of
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


@pytest.mark.parametrize(("query", "steps"), [("", 24), ("period=month", 30), ("period=nonsense", 24)])
async def test_the_chart_has_each_step_even_where_nothing_happened(admin, query, steps):
    page = await admin.sees(f"/activity/usage?{query}")

    chart = page.text.partition('<table class="chart"')[2].partition("</table>")[0]
    assert chart.count('<th scope="row">') == steps


async def test_usage_of_an_unknown_client_is_not_found(admin):
    assert (await admin.sees("/activity/usage?client=none")).status_code == 404


async def test_a_page_that_is_none_does_no_harm(admin):
    answers = [await admin.sees(f"/activity/usage?page={page}") for page in ("0", "-1", "x", "99999999999")]

    assert {answer.status_code for answer in answers} == {200}
