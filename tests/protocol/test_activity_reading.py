"""Activity as it is read: filters, pages, what is unused, what is forgotten, and files of it."""

import csv
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, Final

import pytest

from appconnect.control import activity, exports
from appconnect.control.clients import Draft, edit_client
from appconnect.control.context import Context, InputError
from appconnect.control_plane import control_context, open_store
from appconnect.core.activity import (
    DAY_SECONDS,
    Activity,
    ClientUse,
    CredentialCheck,
    EventFilter,
    Health,
    Page,
    Refusal,
    RefusalFilter,
    UsedIn,
    hour_of,
)
from appconnect.core.audit import AuditEvent, AuditEventType
from appconnect.core.clients import hash_secret
from appconnect.core.policy import AccessMode
from appconnect.settings import Settings
from appconnect.store import activity_writing
from appconnect.store.activity_writing import HOUR_RETENTION_SECONDS, REFUSAL_RETENTION_SECONDS
from tests.protocol.conftest import BACKEND, POSTS, STRANGER, Running

DAY: Final = 1_728_000_000  # 2024-10-04, in UTC
NOW: Final = DAY + 3 * 3_600 + 17
REFUSAL: Final = Refusal(NOW, BACKEND.id, "no_rule", "GET", "/wp-json/wp/v2/pages", "a=1", None, "192.0.2.1", True)
CREATED: Final = AuditEvent(AuditEventType.CLIENT_CREATED, NOW, "cli:admin", BACKEND.id, "Backend; as author")
GET_POSTS: Final = f"GET {POSTS}"


@pytest.fixture
def context(settings: Settings) -> Context:
    """The control plane at a fixed time."""
    return replace(control_context(settings, open_store(settings), actor="test"), clock=lambda: NOW)


Keep = Callable[..., None]


@pytest.fixture
def keep(context: Context) -> Keep:
    """Writes activity to the database."""

    def write(*refusals: Refusal, now: int = NOW, **counters: Any) -> None:
        context.store.activities.write(Activity(refusals, **counters), now=now)

    return write


def record(context: Context, *events: AuditEvent) -> None:
    with context.store.transaction() as transaction:
        for event in events:
            transaction.record(event)


def paths(found: Page[Refusal]) -> list[str]:
    return [refusal.path for refusal in found.items]


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_refusals_come_back_as_they_were_the_newest_first(context: Context, keep: Keep):
    other = replace(REFUSAL, client_id=None, rule="GET /wp-json/größe/v1/a", query="")
    keep(REFUSAL, other)
    assert activity.refusals(context) == Page((other, REFUSAL), None)


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(RefusalFilter(client_id=BACKEND.id), id="client"),
        pytest.param(RefusalFilter(code="no_rule"), id="code"),
        pytest.param(RefusalFilter(text="V2/Pages"), id="text in the path, in any case"),
        pytest.param(RefusalFilter(since=NOW), id="since"),
        pytest.param(RefusalFilter(until=NOW + 1), id="until"),
        pytest.param(RefusalFilter(client_id=BACKEND.id, code="no_rule", text="pages", since=NOW), id="all of it"),
    ],
)
def test_a_filter_finds_what_it_names(context: Context, keep: Keep, wanted: RefusalFilter):
    keep(REFUSAL)
    assert activity.refusals(context, wanted).items == (REFUSAL,)


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(RefusalFilter(client_id=STRANGER.id), id="client"),
        pytest.param(RefusalFilter(code="no"), id="part of a code"),
        pytest.param(RefusalFilter(text="posts"), id="text"),
        pytest.param(RefusalFilter(text="%"), id="percent is no wildcard"),
        pytest.param(RefusalFilter(text="v_/pages"), id="underscore is no wildcard"),
        pytest.param(RefusalFilter(since=NOW + 1), id="since"),
        pytest.param(RefusalFilter(until=NOW), id="until"),
        pytest.param(RefusalFilter(client_id=BACKEND.id, code="power_route"), id="only one of two"),
    ],
)
def test_a_filter_leaves_out_the_others(context: Context, keep: Keep, wanted: RefusalFilter):
    keep(REFUSAL)
    assert activity.refusals(context, wanted).items == ()


def test_pages_follow_each_other_though_more_is_refused_meanwhile(context: Context, keep: Keep):
    keep(*(replace(REFUSAL, path=path) for path in "abc"))
    first = activity.refusals(context, limit=2)
    keep(replace(REFUSAL, path="d"))
    second = activity.refusals(context, older_than=first.older, limit=2)
    assert (paths(first), paths(second), second.older) == (["c", "b"], ["a"], None)


def test_a_page_that_just_fits_is_the_last(context: Context, keep: Keep):
    keep(REFUSAL, REFUSAL)
    assert activity.refusals(context, limit=2).older is None


# -- audit events -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(EventFilter(type=AuditEventType.CLIENT_CREATED), id="type"),
        pytest.param(EventFilter(actor="CLI:"), id="part of the actor"),
        pytest.param(EventFilter(subject="backend"), id="part of the subject"),
        pytest.param(EventFilter(text="as author"), id="text in the details"),
        pytest.param(EventFilter(text="cli:admin"), id="text in the actor"),
        pytest.param(EventFilter(text="client.created"), id="text in the type"),
        pytest.param(EventFilter(since=NOW, until=NOW + 1), id="time"),
    ],
)
def test_a_filter_finds_events(context: Context, wanted: EventFilter):
    record(context, CREATED)
    assert activity.events(context, wanted).items == (CREATED,)


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(EventFilter(type=AuditEventType.CLIENT_DELETED), id="type"),
        pytest.param(EventFilter(actor="backend"), id="actor"),
        pytest.param(EventFilter(subject="admin"), id="subject"),
        pytest.param(EventFilter(text="stranger"), id="text"),
        pytest.param(EventFilter(since=NOW + 1), id="since"),
        pytest.param(EventFilter(until=NOW), id="until"),
    ],
)
def test_a_filter_leaves_out_other_events(context: Context, wanted: EventFilter):
    record(context, CREATED)
    assert activity.events(context, wanted).items == ()


def test_pages_of_events_follow_each_other(context: Context):
    record(context, *(replace(CREATED, details=details) for details in "abc"))
    first = activity.events(context, limit=2)
    second = activity.events(context, older_than=first.older, limit=2)
    assert [event.details for event in (*first.items, *second.items)] == ["c", "b", "a"]


# -- use --------------------------------------------------------------------------------------------------------------


def test_up_to_three_days_are_shown_by_the_hour(context: Context, keep: Keep):
    hour = hour_of(NOW)
    keep(client_uses={(BACKEND.id, hour): ClientUse(1, 2, 3, NOW), (STRANGER.id, hour): ClientUse(1, 1, 1, NOW - 1)})
    used = activity.usage(context, None, since=NOW - 3 * DAY_SECONDS)
    assert (used.step_seconds, used.steps) == (3_600, (UsedIn(hour, ClientUse(2, 3, 4, NOW)),))


def test_a_longer_time_is_shown_by_the_day(context: Context, keep: Keep):
    uses = {(BACKEND.id, at): ClientUse(allowed=1, last_at=at) for at in (DAY - 3_600, DAY, DAY + 3_600)}
    keep(client_uses=uses)
    used = activity.usage(context, BACKEND.id, since=NOW - 4 * DAY_SECONDS)
    assert [(step.at, step.use.allowed) for step in used.steps] == [(DAY - DAY_SECONDS, 1), (DAY, 2)]


def test_the_use_of_others_is_left_out(context: Context, keep: Keep):
    keep(client_uses={(STRANGER.id, DAY): ClientUse(allowed=1)})
    assert activity.usage(context, BACKEND.id, since=0).steps == ()


def test_a_client_was_last_used_when_it_last_proved_to_be_itself(context: Context, keep: Keep):
    hour = hour_of(NOW)
    keep(client_uses={(BACKEND.id, hour - 3_600): ClientUse(allowed=1, last_at=NOW - 3_600)})
    keep(client_uses={(BACKEND.id, hour): ClientUse(refused=1, last_at=0)})
    found = activity.client_activity(context)
    assert (found[BACKEND.id].last_at, found[STRANGER.id].last_at) == (NOW - 3_600, None)


def test_an_older_report_of_another_worker_takes_nothing_back(context: Context, keep: Keep):
    key = (BACKEND.id, hash_secret(BACKEND.secret))
    keep(secret_uses={key: NOW}, credential_checks={BACKEND.id: CredentialCheck(Health.LOST, NOW)})
    keep(secret_uses={key: NOW - 5}, credential_checks={BACKEND.id: CredentialCheck(Health.HEALTHY, NOW - 5)})
    found = activity.client_activity(context)[BACKEND.id]
    assert (found.secrets[0].last_at, found.check) == (NOW, CredentialCheck(Health.LOST, NOW))


def test_the_same_health_keeps_its_beginning(context: Context, keep: Keep):
    keep(credential_checks={BACKEND.id: CredentialCheck(Health.LOST, NOW - 60)})
    keep(credential_checks={BACKEND.id: CredentialCheck(Health.LOST, NOW)})
    assert activity.client_activity(context)[BACKEND.id].check == CredentialCheck(Health.LOST, NOW - 60)


def test_what_was_lost_is_said(context: Context, keep: Keep):
    keep(lost=3)
    keep(lost=4)
    keep(REFUSAL)
    assert (activity.lost(context, since=NOW), activity.lost(context, since=NOW + 1)) == (7, 0)


# -- rules ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def older(context: Context) -> Context:
    """31 days later, the cast being that old then."""
    registered = next(iter(context.store.snapshot(now=NOW).clients.values())).created_at
    return replace(context, clock=lambda: registered + 31 * DAY_SECONDS)


def state_of(context: Context, rule: str | None = GET_POSTS) -> activity.RuleState:
    reports = activity.rule_reports(context, BACKEND.id)
    (found,) = [report for report in reports if (str(report.rule) if report.rule else None) == rule]
    assert found.is_unused == (found.state is activity.RuleState.UNUSED)
    return found.state


def use(context: Context, *, days_ago: int, rule: str = GET_POSTS) -> None:
    hour = hour_of(context.clock() - days_ago * DAY_SECONDS)
    used = Activity(rule_uses={(BACKEND.id, rule, hour): 1})
    context.store.activities.write(used, now=context.clock())


def change(context: Context, *rules: str, days_ago: int) -> None:
    """The audit event of an edit after which the client had these rules."""
    at, details = context.clock() - days_ago * DAY_SECONDS, f"Backend; as author; restricted; {', '.join(rules)}"
    record(context, replace(CREATED, type=AuditEventType.CLIENT_CHANGED, at=at, details=details))


def test_a_rule_that_allowed_something_in_30_days_is_used(older: Context):
    use(older, days_ago=29)
    assert state_of(older) is activity.RuleState.USED


def test_a_rule_that_allowed_nothing_for_30_days_is_unused(older: Context):
    assert state_of(older) is activity.RuleState.UNUSED


def test_the_last_use_of_an_unused_rule_is_still_told(older: Context):
    use(older, days_ago=31)
    (report,) = [one for one in activity.rule_reports(older, BACKEND.id) if str(one.rule) == GET_POSTS]
    assert (report.state, report.requests) == (activity.RuleState.UNUSED, 0)
    assert report.last_hour == hour_of(older.clock() - 31 * DAY_SECONDS)


def test_the_rules_of_a_new_client_are_new(older: Context):
    young = replace(older, clock=lambda: older.clock() - 2 * DAY_SECONDS)
    assert state_of(young) is activity.RuleState.NEW


def test_a_rule_that_an_old_client_got_lately_is_new(older: Context):
    change(older, f"POST {POSTS}", days_ago=40)
    change(older, f"POST {POSTS}", GET_POSTS, days_ago=3)
    assert state_of(older) is activity.RuleState.NEW
    assert state_of(older, f"POST {POSTS}") is activity.RuleState.UNUSED


def test_an_edit_of_something_else_makes_no_rule_new(older: Context):
    change(older, GET_POSTS, days_ago=40)
    change(older, GET_POSTS, f"POST {POSTS}", days_ago=3)
    assert state_of(older) is activity.RuleState.UNUSED


async def test_a_real_edit_is_understood(gateway: Running):
    """The rules are read from the words of the audit event."""
    await gateway.change(edit_client, BACKEND.id, Draft(allow=["GET /wp-json/wp/v2/pages"]))
    later = replace(gateway.context, clock=lambda: gateway.context.clock() + 31 * DAY_SECONDS)
    assert state_of(later, "GET /wp-json/wp/v2/pages") is activity.RuleState.UNUSED
    sooner = replace(gateway.context, clock=lambda: gateway.context.clock() + 30 * DAY_SECONDS - 60)
    assert state_of(sooner, "GET /wp-json/wp/v2/pages") is activity.RuleState.NEW


def test_full_access_has_a_report_of_its_own(older: Context):
    store = older.store
    client = store.snapshot(now=NOW).clients[BACKEND.id]
    policy = replace(store.snapshot(now=NOW).current_policy(client), access_mode=AccessMode.FULL)
    with store.transaction() as transaction:
        transaction.save_client(replace(client, policy_hash=policy.hash), policy, now=NOW)
    use(older, days_ago=1, rule="")
    assert state_of(older, None) is activity.RuleState.USED


def test_an_unknown_client_has_no_rules(context: Context):
    with pytest.raises(InputError, match="no client"):
        activity.rule_reports(context, "ac_unknown")


# -- forgetting -------------------------------------------------------------------------------------------------------


def test_refusals_are_kept_for_90_days(context: Context, keep: Keep):
    keep(replace(REFUSAL, path="old", at=NOW), replace(REFUSAL, path="new", at=NOW + 1))
    keep(now=NOW + 1 + REFUSAL_RETENTION_SECONDS)
    assert paths(activity.refusals(context)) == ["new"]


def test_hours_are_kept_for_400_days(context: Context, keep: Keep):
    hours = (DAY, DAY + 3_600)
    keep(
        rule_uses={(BACKEND.id, GET_POSTS, hour): 1 for hour in hours},
        client_uses={(BACKEND.id, hour): ClientUse(allowed=1) for hour in hours},
    )
    keep(now=DAY + 3_600 + HOUR_RETENTION_SECONDS)
    assert [step.at for step in activity.usage(context, None, since=NOW - DAY_SECONDS).steps] == [DAY + 3_600]
    assert activity.rule_reports(replace(context, clock=lambda: DAY), BACKEND.id)[0].requests == 1


def test_no_more_refusals_are_kept_than_there_is_room_for(
    context: Context, keep: Keep, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(activity_writing, "MAX_REFUSALS_KEPT", 2)
    keep(*(replace(REFUSAL, path=path) for path in "abc"))
    assert paths(activity.refusals(context)) == ["c", "b"]


def test_strangers_push_out_no_client_s_refusal(context: Context, keep: Keep, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(activity_writing, "MAX_UNPROVEN_KEPT", 1)
    keep(REFUSAL, *(replace(REFUSAL, path=path, is_proven=False) for path in "abc"))
    assert paths(activity.refusals(context)) == ["c", REFUSAL.path]


def test_a_secret_that_is_gone_is_forgotten(context: Context, keep: Keep):
    keep(secret_uses={(BACKEND.id, b"gone"): NOW, (BACKEND.id, hash_secret(BACKEND.secret)): NOW})
    keep(now=NOW + 3_600)
    assert list(context.store.activities.secret_uses()) == [(BACKEND.id, hash_secret(BACKEND.secret))]


def test_a_client_that_is_gone_has_no_health(context: Context, keep: Keep):
    keep(credential_checks={"ac_gone": CredentialCheck(Health.LOST, NOW)})
    keep(now=NOW + 3_600)
    assert context.store.activities.credential_checks() == {}


# -- files ------------------------------------------------------------------------------------------------------------


def test_refusals_as_csv(context: Context, keep: Keep):
    keep(replace(REFUSAL, path='/a,"b"', rule="GET /wp-json/x"), replace(REFUSAL, client_id=None))
    lines = list(csv.DictReader("".join(exports.refusals_csv(context, RefusalFilter())).splitlines()))
    assert [line["client_id"] for line in lines] == ["", BACKEND.id]
    assert lines[1] == {
        "at": "2024-10-04T03:00:17+00:00",
        "client_id": BACKEND.id,
        "code": "no_rule",
        "method": "GET",
        "path": '/a,"b"',
        "query": "a=1",
        "rule": "GET /wp-json/x",
        "address": "192.0.2.1",
        "is_proven": "True",
    }


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(context: Context, keep: Keep, begin: str):
    """Who opens the file in a table program must not run what a caller put into a path."""
    keep(replace(REFUSAL, path=f"{begin}HYPERLINK(1)"))
    (line,) = csv.DictReader(exports.refusals_csv(context, RefusalFilter()), strict=True)
    assert line["path"] == f"'{begin}HYPERLINK(1)"


def test_refusals_as_json_lines(context: Context, keep: Keep):
    refusal = replace(REFUSAL, path="/größe\n")
    keep(refusal)
    (line,) = exports.refusals_json_lines(context, RefusalFilter())
    assert json.loads(line) == asdict(refusal)
    assert line.count("\n") == 1


def test_events_as_csv(context: Context):
    record(context, CREATED)
    assert list(exports.events_csv(context, EventFilter())) == [
        "type,at,actor,subject,details\r\n",
        "client.created,2024-10-04T03:00:17+00:00,cli:admin,ac_backend,Backend; as author\r\n",
    ]


def test_events_as_json_lines(context: Context):
    record(context, CREATED, replace(CREATED, type=AuditEventType.CLIENT_DELETED))
    lines = exports.events_json_lines(context, EventFilter(type=AuditEventType.CLIENT_DELETED))
    assert [json.loads(line)["type"] for line in lines] == ["client.deleted"]


def test_a_file_has_everything_however_many_there_are(context: Context, keep: Keep):
    keep(*([REFUSAL] * 2_001))
    assert sum(1 for _ in exports.refusals_json_lines(context, RefusalFilter())) == 2_001
