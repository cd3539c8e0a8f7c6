"""What is recorded in memory, how much of it, and what is never recorded."""

from dataclasses import replace

import pytest

from appconnect.activity import MAX_TEXT_BYTES, Recorder
from appconnect.core.activity import Activity, ClientUse, CredentialCheck, Health, Refusal, merged

HOUR = 1_700_000_000 - 1_700_000_000 % 3_600
RULE = "GET /wp-json/wp/v2/posts"
REFUSAL = Refusal(HOUR, "ac_backend", "no_rule", "GET", "/wp-json/wp/v2/users", "", None, "192.0.2.1", is_proven=True)
SECRET = "acs_" + "a" * 43
JWT = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJodHRwcyJ9.c2lnbmF0dXJl"


def recorded(path: str = "/", query: str = "", method: str = "GET") -> Refusal:
    recorder = Recorder()
    recorder.refused(replace(REFUSAL, path=path, query=query, method=method))
    (refusal,) = recorder.take().refusals
    return refusal


# -- counting ---------------------------------------------------------------------------------------------------------


def test_allowed_requests_are_counted_by_client_rule_and_hour():
    recorder = Recorder()
    recorder.allowed("ac_backend", RULE, HOUR)
    recorder.allowed("ac_backend", RULE, HOUR + 3_599)
    recorder.allowed("ac_backend", RULE, HOUR + 3_600)
    taken = recorder.take()
    assert taken.rule_uses == {("ac_backend", RULE, HOUR): 2, ("ac_backend", RULE, HOUR + 3_600): 1}
    assert taken.client_uses == {
        ("ac_backend", HOUR): ClientUse(allowed=2, last_at=HOUR + 3_599),
        ("ac_backend", HOUR + 3_600): ClientUse(allowed=1, last_at=HOUR + 3_600),
    }


def test_a_refusal_is_kept_and_counted():
    recorder = Recorder()
    recorder.refused(REFUSAL)
    taken = recorder.take()
    assert taken.refusals == (REFUSAL,)
    assert taken.client_uses == {("ac_backend", HOUR): ClientUse(refused=1, last_at=HOUR)}


def test_a_refusal_that_nobody_has_proven_to_be_the_clients_is_no_use_of_the_client():
    """Whoever knows a client ID could else make a client look alive."""
    recorder = Recorder()
    recorder.refused(replace(REFUSAL, is_proven=False))
    assert recorder.take().client_uses == {("ac_backend", HOUR): ClientUse(refused=1, last_at=0)}


def test_a_refusal_of_no_known_client_is_kept_and_counts_for_none():
    recorder = Recorder()
    recorder.refused(replace(REFUSAL, client_id=None, is_proven=False))
    taken = recorder.take()
    assert (len(taken.refusals), taken.client_uses) == (1, {})


def test_a_secret_that_was_shown_is_remembered_with_its_last_time():
    recorder = Recorder()
    recorder.authenticated("ac_backend", b"old", HOUR)
    recorder.authenticated("ac_backend", b"old", HOUR + 5)
    assert recorder.take().secret_uses == {("ac_backend", b"old"): HOUR + 5}


def test_a_token_is_counted():
    recorder = Recorder()
    recorder.token_issued("ac_backend", HOUR)
    assert recorder.take().client_uses == {("ac_backend", HOUR): ClientUse(tokens=1, last_at=HOUR)}


def test_the_same_health_keeps_its_beginning():
    recorder = Recorder()
    recorder.checked("ac_backend", Health.LOST, HOUR)
    recorder.checked("ac_backend", Health.LOST, HOUR + 60)
    assert recorder.take().credential_checks == {"ac_backend": CredentialCheck(Health.LOST, HOUR)}


def test_another_health_begins_anew():
    recorder = Recorder()
    recorder.checked("ac_backend", Health.LOST, HOUR)
    recorder.checked("ac_backend", Health.HEALTHY, HOUR + 60)
    assert recorder.take().credential_checks == {"ac_backend": CredentialCheck(Health.HEALTHY, HOUR + 60)}


def test_what_was_taken_is_not_taken_again():
    recorder = Recorder()
    recorder.allowed("ac_backend", RULE, HOUR)
    recorder.refused(REFUSAL)
    recorder.token_issued("ac_backend", HOUR)
    recorder.authenticated("ac_backend", b"secret", HOUR)
    recorder.checked("ac_backend", Health.LOST, HOUR)
    recorder.take()
    assert recorder.take() == Activity()


def test_what_was_taken_does_not_change_any_more():
    recorder = Recorder()
    recorder.allowed("ac_backend", RULE, HOUR)
    taken = recorder.take()
    recorder.allowed("ac_backend", RULE, HOUR)
    assert taken.rule_uses == {("ac_backend", RULE, HOUR): 1}


# -- no more than there is room for -----------------------------------------------------------------------------------


def test_beyond_its_room_the_oldest_refusals_go_and_are_counted():
    recorder = Recorder(most_refusals=2)
    recorder.refused(replace(REFUSAL, at=HOUR))
    recorder.refused(replace(REFUSAL, at=HOUR + 1))
    recorder.refused(replace(REFUSAL, at=HOUR + 2))
    taken = recorder.take()
    assert [refusal.at for refusal in taken.refusals] == [HOUR + 1, HOUR + 2]
    assert taken.lost == 1


def test_strangers_push_out_no_client_s_refusal():
    """Anybody may be refused as often as they like; what a client was refused must stay to be seen."""
    recorder = Recorder(most_refusals=2, most_unproven=1)
    recorder.refused(replace(REFUSAL, at=HOUR))
    recorder.refused(replace(REFUSAL, at=HOUR + 1, is_proven=False))
    recorder.refused(replace(REFUSAL, at=HOUR + 2, is_proven=False))
    taken = recorder.take()
    assert [refusal.at for refusal in taken.refusals] == [HOUR, HOUR + 2]
    assert taken.lost == 1


def test_without_room_for_another_counter_what_it_would_count_is_lost_and_others_go_on():
    recorder = Recorder(most_counters=1)
    recorder.allowed("ac_backend", RULE, HOUR)
    recorder.allowed("ac_stranger", RULE, HOUR)
    recorder.allowed("ac_backend", RULE, HOUR)
    taken = recorder.take()
    assert taken.rule_uses == {("ac_backend", RULE, HOUR): 2}
    assert taken.lost == 2  # a use of the rule, and one of the client


def test_what_waits_for_the_database_loses_its_oldest_hours_first():
    older = Activity(rule_uses={("ac_backend", RULE, HOUR): 7})
    newer = Activity(rule_uses={("ac_backend", RULE, HOUR + 3_600): 1})
    both = merged(older, newer, most_counters=1)
    assert both == Activity(rule_uses={("ac_backend", RULE, HOUR + 3_600): 1}, lost=7)


def test_what_waits_for_the_database_loses_its_oldest_refusals_first():
    newer = replace(REFUSAL, at=HOUR + 1)
    both = merged(Activity((REFUSAL,)), Activity((newer,)), most_refusals=1)
    assert both == Activity((newer,), lost=1)


# -- nothing secret, nothing without end ------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [SECRET, JWT, "Bearer abcdefghijklmnop"], ids=["client secret", "token", "header"])
def test_a_credential_in_the_query_or_the_path_is_hidden(secret: str):
    refusal = recorded(path=f"/wp-json/{secret}", query=f"a={secret}&b=2")
    assert (refusal.path, refusal.query) == ("/wp-json/[redacted]", "a=[redacted]&b=2")


@pytest.mark.parametrize(
    "name", ["password", "consumer_secret", "consumer_key", "access_token", "_wpnonce", "user[pass]", "Authorization"]
)
def test_a_parameter_with_a_secret_name_is_kept_without_its_value(name: str):
    assert recorded(query=f"page=2&{name}=hunter2").query == f"page=2&{name}=[redacted]"


def test_a_long_path_and_a_long_query_are_cut():
    refusal = recorded(path="/" + "p" * 9_000, query="q" * 9_000)
    assert (len(refusal.path), len(refusal.query)) == (MAX_TEXT_BYTES, MAX_TEXT_BYTES)


def test_no_character_is_cut_in_two():
    assert recorded(path="ö" * 400).path == "ö" * 250


def test_a_credential_at_the_end_of_what_is_kept_is_hidden_too():
    query = "q" * (MAX_TEXT_BYTES - 20) + "&a=" + SECRET
    assert "acs_" not in recorded(query=query).query


def test_a_query_made_to_be_slow_to_search_is_not_searched_to_its_end():
    """Nothing in the search depends on more than a few kilobytes of what a caller sends."""
    assert recorded(query="pass" * 100_000).query.startswith("passpass")


def test_what_a_database_would_not_take_is_left_out():
    assert recorded(path="/a\0b\udcff", method="GE\0T").path == "/ab?"
