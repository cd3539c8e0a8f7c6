"""The two promises, as functions of one request and of what WordPress did for it."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.attack.grammar import Attack, attacks, raw_bytes
from tests.attack.oracle import Noted
from tests.attack.plain import Plain, plain_requests
from tests.attack.stacks import Attacked
from tests.attack.wire import Answer

SUITE = settings(
    deadline=None,
    database=None,
    derandomize=True,
    print_blob=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)

FULL_ACCESS = (
    *("GET /wp-json/wp/v2/settings", "POST /wp-json/wp/v2/users/<me>", "PUT /wp-json/wp/v2/users/me"),
    "POST /wp-json/wp/v2/users/me",
    *("POST /wp-json/wp/v2/posts", "PATCH /wp-json/wp/v2/users/<me>", "DELETE /wp-json/wp/v2/posts/<other>"),
)
"""Some of what full access may do, for the want of rules to build requests from."""


def openings(stack: Attacked, client: str) -> tuple[str, ...]:
    """Rules that say what a client may do, to build requests from."""
    _, rules, is_full = stack.rules[client]
    return rules + FULL_ACCESS if is_full else rules


def requests(stack: Attacked) -> st.SearchStrategy[tuple[str, Attack]]:
    """A client, some more often than others, and its request."""
    clients = st.sampled_from((*sorted(stack.rules), "batcher", "full", "one_post", "lister"))
    return clients.flatmap(lambda client: st.tuples(st.just(client), attacks(openings(stack, client))))


def plains(stack: Attacked) -> st.SearchStrategy[tuple[str, Plain]]:
    """A client and a request that its rules allow."""
    clients = st.sampled_from(sorted(stack.rules.keys() - {"embedder", "wild"}))
    return clients.flatmap(lambda client: st.tuples(st.just(client), plain_requests(openings(stack, client))))


def send(stack: Attacked, client: str, attack: Attack) -> tuple[Answer, list[Noted]]:
    """Send one request with the client's token."""
    head, body = stack.filled(attack.head(), client), stack.filled(attack.body, client)
    return stack.ask(raw_bytes(attack, head, body, stack.tokens[client]), attack.method)


def findings(stack: Attacked, client: str, answer: Answer, noted: list[Noted]) -> list[str]:
    """What is wrong with what WordPress did for a request: nothing, if the promise holds."""
    reached = [each for each in noted if each.kind == "reached"]
    ran = [each for each in noted if each.kind == "asked"]
    if client == "embedder":
        noted = ran[:1]  # embedding reads further routes, as its switch says
    found = stack.permission(client).violations(noted)
    if reached and not ran and answer.status < 400:
        found.append(f"answered {answer.status} by something that is no REST route")
    if len(reached) > 1:
        found.append("more than one request reached WordPress")
    if reached and is_refusal(answer):
        found.append(f"refused with {answer.code}, and yet it reached WordPress")
    if answer.status == 0 or (answer.status == 500 and not reached):
        found.append(f"no proper answer: {answer.status} {answer.body[:200]!r}")
    return found


def is_refusal(answer: Answer) -> bool:
    """Whether it was the gateway that refused; a page of WordPress's that is no REST answer it puts in other words."""
    return (answer.code or "").startswith("app_connect_") and answer.code != "app_connect_upstream_page"
