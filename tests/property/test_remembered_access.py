"""Whatever changes, and however much time passes: a token that is remembered opens what it would open anew."""

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import OKPKey

from appconnect.core.access import Access, open_access
from appconnect.core.clients import Client, GrantType
from appconnect.core.keys import KeyRing, SigningKey
from appconnect.core.policy import AccessMode, Policy
from appconnect.core.rules import RouteRule
from appconnect.core.snapshot import SiteSwitches, Snapshot
from appconnect.core.tokens import Claims, InvalidToken, issue
from appconnect.gateway.remembered import RememberedAccess
from tests.property.strategies import AUTHOR

NOW = 1_700_000_000
GRANT_TYPES = frozenset(GrantType)
PUBLIC_URLS = ("https://a.example", "https://b.example")
CLIENT_IDS = ("ac_1", "ac_2")
RULE = RouteRule.parse("GET /wp-json/wp/v2/posts")
WIDE = {id_: Policy(id_, AUTHOR, AccessMode.RESTRICTED, (RULE,)) for id_ in CLIENT_IDS}
NARROW = {id_: Policy(id_, AUTHOR, AccessMode.RESTRICTED, ()) for id_ in CLIENT_IDS}
GREATER = {id_: replace(WIDE[id_], service_user=replace(AUTHOR, roles=frozenset({"editor"}))) for id_ in CLIENT_IDS}
POLICIES = {policy.hash: policy for policies in (WIDE, NARROW, GREATER) for policy in policies.values()}
KEYS = [OKPKey.generate_key("Ed25519") for _ in range(2)]


def token(key: OKPKey, client_id: str, policy: Policy, lifetime_seconds: int) -> str:
    key_ring = KeyRing((SigningKey(key, NOW),))
    issuer, token_id = PUBLIC_URLS[0], f"{client_id} {lifetime_seconds}"
    claims = Claims(issuer, issuer + "/wp-json", "7", client_id, token_id, NOW, NOW + lifetime_seconds, policy.hash)
    return issue(claims, key_ring)


TOKENS = [
    token(key, client_id, policies[client_id], lifetime_seconds)
    for key in KEYS
    for client_id in CLIENT_IDS
    for policies in (WIDE, GREATER)
    for lifetime_seconds in (60, 3600)
]

clients = st.builds(
    lambda id_, policies, **state: Client(id_, id_, secrets=(), policy_hash=policies[id_].hash, created_at=0, **state),
    st.sampled_from(CLIENT_IDS),
    st.sampled_from((WIDE, NARROW, GREATER)),
    grant_types=st.sampled_from((GRANT_TYPES, GRANT_TYPES, frozenset())),
    is_enabled=st.sampled_from((True, True, False)),
    tokens_revoked_at=st.sampled_from((None, None, NOW - 1, NOW)),
)
signing_keys = st.builds(
    SigningKey, st.sampled_from(KEYS), st.just(NOW), st.sampled_from((None, None, NOW + 30, NOW + 600))
)
snapshots = st.builds(
    Snapshot,
    revision=st.integers(0, 9),
    public_url=st.sampled_from((PUBLIC_URLS[0], *PUBLIC_URLS)),
    site=st.none(),
    switches=st.just(SiteSwitches(is_api_enabled=True, grant_types=GRANT_TYPES, token_lifetime_seconds=3600)),
    key_ring=st.lists(signing_keys, max_size=2).map(lambda keys: KeyRing(tuple(keys))),
    clients=st.lists(clients, max_size=2).map(lambda found: {client.id: client for client in found}),
    policies=st.sampled_from((POLICIES, POLICIES, {})),
    revoked_token_ids=st.frozensets(st.sampled_from(("ac_1 60", "ac_1 3600", "ac_2 60"))),
)
steps = st.tuples(snapshots, st.lists(st.sampled_from((0, 0, 1, 29, 31, 600)), min_size=1, max_size=3))


def opened(open_: Callable[..., Access], token: str, snapshot: Snapshot, *, now: int) -> Access | str:
    try:
        return open_(token, snapshot, now=now)
    except InvalidToken as error:
        return error.detail


@given(st.lists(steps, max_size=6))
def test_a_remembered_token_opens_what_it_would_open_anew(happened: list[tuple[Snapshot, list[int]]]):
    remembered, now = RememberedAccess(), NOW
    for snapshot, pauses in happened:
        for seconds in pauses:
            now += seconds
            assert [opened(remembered.open, token, snapshot, now=now) for token in TOKENS] == [
                opened(open_access, token, snapshot, now=now) for token in TOKENS
            ]
