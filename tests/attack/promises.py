"""The two promises, as functions of one request and of what WordPress did for it."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.attack.grammar import Attack, Plain, plain_requests, raw_bytes
from tests.attack.oracle import Noted
from tests.attack.stacks import RULES, Attacked
from tests.attack.wire import Answer

SUITE = settings(
    deadline=None,
    database=None,
    derandomize=True,
    print_blob=True,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
clients = st.sampled_from(sorted(RULES))


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
    return found


def plains(stack: Attacked, client: str) -> st.SearchStrategy[Plain]:
    """Plain requests of a client, with the IDs of posts that it may touch."""
    numbers = tuple(stack.names[name] for name in ("mine", "other", "me"))
    return plain_requests(stack.permission(client).rules, numbers)
