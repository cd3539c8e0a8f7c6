"""What a token opens now: a narrowing, a disabling or a revocation counts at once, and a promotion never."""

from dataclasses import replace

import pytest
from joserfc.jwk import OKPKey

from appconnect.core.access import open_access
from appconnect.core.clients import Client, GrantType
from appconnect.core.keys import KeyRing, SigningKey
from appconnect.core.policy import AccessMode, Policy, ServiceUser
from appconnect.core.rules import RouteRule
from appconnect.core.snapshot import SiteSwitches, Snapshot
from appconnect.core.tokens import Claims, InvalidToken, issue

NOW = 1_700_000_000
GRANT_TYPES = frozenset({GrantType.CLIENT_CREDENTIALS})
AUTHOR = ServiceUser(7, "author", frozenset({"author"}), frozenset({"edit_posts"}))
GRANTED = Policy("ac_backend", AUTHOR, AccessMode.RESTRICTED, (RouteRule.parse("GET /wp-json/wp/v2/posts"),))
NARROWED = replace(GRANTED, rules=())
PROMOTED = replace(GRANTED, service_user=replace(AUTHOR, roles=frozenset({"author", "editor"})))
OTHERS = replace(GRANTED, client_id="ac_other")
BACKEND = Client("ac_backend", "Backend", GRANT_TYPES, True, (), GRANTED.hash, 0)
SNAPSHOT = Snapshot(
    revision=1,
    public_url="https://your-site.com",
    site=None,
    switches=SiteSwitches(is_api_enabled=True, grant_types=GRANT_TYPES, token_lifetime_seconds=3600),
    key_ring=KeyRing((SigningKey(OKPKey.generate_key("Ed25519"), 0),)),
    clients={"ac_backend": BACKEND},
    policies={policy.hash: policy for policy in (GRANTED, NARROWED, PROMOTED, OTHERS)},
)
CLAIMS = Claims(SNAPSHOT.issuer, SNAPSHOT.audience, "7", "ac_backend", "4f6e", NOW, NOW + 3600, GRANTED.hash)
TOKEN = issue(CLAIMS, SNAPSHOT.key_ring)


def with_client(**changes: object) -> Snapshot:
    return replace(SNAPSHOT, clients={"ac_backend": replace(BACKEND, **changes)})  # type: ignore[arg-type]


def test_a_token_opens_what_was_granted_and_what_is_current():
    access = open_access(TOKEN, with_client(policy_hash=NARROWED.hash), now=NOW)
    assert (access.claims, access.granted, access.current) == (CLAIMS, GRANTED, NARROWED)


def test_a_token_issued_after_its_clients_tokens_were_revoked_is_good():
    assert open_access(TOKEN, with_client(tokens_revoked_at=NOW - 1), now=NOW).claims == CLAIMS


def test_a_token_opens_its_own_client():
    assert open_access(TOKEN, SNAPSHOT, now=NOW).client == BACKEND


@pytest.mark.parametrize(
    "snapshot",
    [
        pytest.param(replace(SNAPSHOT, revoked_token_ids=frozenset({"4f6e"})), id="it was revoked"),
        pytest.param(replace(SNAPSHOT, clients={}), id="its client was deleted"),
        pytest.param(with_client(is_enabled=False), id="its client was disabled"),
        pytest.param(with_client(tokens_revoked_at=NOW), id="its client's tokens were revoked in the same second"),
        pytest.param(with_client(grant_types=frozenset()), id="its grant type was disabled on the client"),
        pytest.param(
            replace(SNAPSHOT, switches=replace(SNAPSHOT.switches, grant_types=frozenset())),
            id="its grant type was disabled on the site",
        ),
        pytest.param(with_client(policy_hash=PROMOTED.hash), id="its service user was promoted"),
        pytest.param(
            replace(with_client(policy_hash=NARROWED.hash), policies={NARROWED.hash: NARROWED}),
            id="its policy is not kept any more",
        ),
        pytest.param(replace(SNAPSHOT, key_ring=KeyRing(())), id="its key was removed"),
        pytest.param(replace(SNAPSHOT, public_url="https://other-site.com"), id="the gateway has another address"),
    ],
)
def test_a_token_opens_nothing_any_more_when(snapshot):
    with pytest.raises(InvalidToken):
        open_access(TOKEN, snapshot, now=NOW)


def test_an_expired_token_opens_nothing():
    with pytest.raises(InvalidToken, match="expired"):
        open_access(TOKEN, SNAPSHOT, now=NOW + 3600)


def test_a_token_that_names_another_clients_policy_opens_nothing():
    token = issue(replace(CLAIMS, policy_hash=OTHERS.hash), SNAPSHOT.key_ring)
    with pytest.raises(InvalidToken):
        open_access(token, SNAPSHOT, now=NOW)


def test_another_revoked_token_is_none_of_its_business():
    snapshot = replace(SNAPSHOT, revoked_token_ids=frozenset({"other"}))
    assert open_access(TOKEN, snapshot, now=NOW).claims == CLAIMS
