"""Policies as they are stored: read once, when they are asked for, and never under another's name."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from appconnect.core.policy import AccessMode, Policy, ServiceUser
from appconnect.core.rules import Method, RouteRule
from appconnect.store.policies import DamagedPolicyError, KeptPolicy, StoredPolicies

AUTHOR = ServiceUser(7, "author", frozenset({"author"}), frozenset({"edit_posts", "read"}))
POLICY = Policy("ac_backend", AUTHOR, AccessMode.RESTRICTED, (RouteRule.parse("GET /wp-json/wp/v2/posts"),))
WIDER = replace(POLICY, access_mode=AccessMode.FULL)


def kept(policy: Policy = POLICY, *, under: str = POLICY.hash) -> KeptPolicy:
    return KeptPolicy(under, json.dumps(policy.to_json()))


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises(DamagedPolicyError), capture_logs():
        yield


def test_a_policy_comes_back():
    assert kept().read() == POLICY


def test_a_policy_is_made_once():
    policy = kept()
    assert policy.read() is policy.read()


def test_a_policy_that_was_made_ready_is_the_one_that_is_read():
    policy = kept()
    policy.make_ready()
    assert policy.read().allowlist.matching(Method.GET, ("wp", "v2", "posts")) == list(POLICY.rules)


def test_a_policy_that_nobody_asks_for_is_not_looked_at():
    policies = StoredPolicies({"damaged": KeptPolicy("damaged", "{"), POLICY.hash: kept()})
    assert policies[POLICY.hash] == POLICY


def test_a_policy_under_anothers_hash_is_none():
    """Else a row that was exchanged would open what another client may do."""
    with refused():
        kept(WIDER).read()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("", id="nothing"),
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param("{}", id="an empty one"),
        pytest.param(json.dumps(POLICY.to_json() | {"access_mode": "admin"}), id="an unknown access mode"),
        pytest.param(json.dumps(POLICY.to_json() | {"rules": ["GET /posts"]}), id="a rule that is none"),
        pytest.param(json.dumps(POLICY.to_json() | {"service_user": None}), id="no service user"),
    ],
)
def test_what_is_no_policy_is_none(content: str):
    with refused():
        KeptPolicy(POLICY.hash, content).read()


def test_a_damaged_policy_is_logged_once():
    damaged = kept(WIDER)
    with capture_logs() as logged:
        damaged.make_ready()
        damaged.make_ready()
    assert [(line["log_level"], line["hash"]) for line in logged] == [("error", POLICY.hash)]


def test_a_damaged_policy_is_not_there():
    with capture_logs():
        assert StoredPolicies({POLICY.hash: kept(WIDER)}).get(POLICY.hash) is None


def test_policies_are_counted_and_listed_without_being_read():
    policies = StoredPolicies({"damaged": KeptPolicy("damaged", "{")})
    assert (len(policies), list(policies)) == (1, ["damaged"])


def test_there_is_no_policy_under_another_hash():
    assert "other" not in StoredPolicies({POLICY.hash: kept()})
