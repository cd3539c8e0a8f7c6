"""What the laws are tried on: few words, so that rules and routes meet often."""

from hypothesis import strategies as st

from appconnect.core.canonical import CanonicalRequest, segments_of
from appconnect.core.policy import AccessMode, Policy, ServiceUser
from appconnect.core.rules import DOUBLE_STAR, STAR, Method, RouteRule

WORDS = ("wp", "v2", "posts", "users", "plugins", "application-passwords", "batch", "v1", "15")

methods = st.sampled_from(Method)
words = st.sampled_from(WORDS)
routes = st.lists(words, max_size=6).map(tuple)
"""Routes as their segments, in small letters."""


def _spelled(word: str, is_capital: bool) -> str:
    return word.upper() if is_capital else word


_rule_segments = st.builds(_spelled, words, st.booleans()) | st.just(STAR)
_rule_tails = st.sampled_from(((), (DOUBLE_STAR,)))
rules = st.builds(
    lambda method, head, tail: RouteRule(method, (*head, *tail)),
    methods,
    st.lists(_rule_segments, max_size=5),
    _rule_tails,
)
allowlists = st.lists(rules, max_size=8)

AUTHOR = ServiceUser(7, "author", frozenset({"author"}), frozenset({"edit_posts"}))
policies = st.builds(
    Policy,
    client_id=st.just("ac_backend"),
    service_user=st.just(AUTHOR),
    access_mode=st.sampled_from(AccessMode),
    rules=allowlists.map(tuple),
    allows_embed=st.booleans(),
)


def canonical_request(method: Method, segments: tuple[str, ...], embeds: bool) -> CanonicalRequest:
    """A request as `canonicalize` would leave it."""
    route = "/" + "/".join(segments)
    return CanonicalRequest(method, method, route, (), (), embeds, None, segments_of(route))


requests = st.builds(canonical_request, methods, routes, st.booleans())
