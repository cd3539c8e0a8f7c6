"""The promise, by effect: whatever WordPress runs is allowed by the client's rules, and what the rules allow runs."""

from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.attack.grammar import attacks
from tests.attack.promises import SUITE, clients, findings, plains, send

EXAMPLES = 2500
PLAIN_EXAMPLES = 150


@given(client=clients, attack=attacks())
@settings(SUITE, max_examples=EXAMPLES)
def test_whatever_wordpress_runs_is_allowed_by_the_clients_rules(stack, client, attack):
    answer, noted = send(stack, client, attack)
    note(f"{client}: {attack}, answered {answer.status} {answer.code}")
    assert findings(stack, client, answer, noted) == []


@given(data=st.data(), client=st.sampled_from(("lister", "writer", "one_post", "powerful")))
@settings(SUITE, max_examples=PLAIN_EXAMPLES)
def test_what_the_rules_allow_runs_however_it_is_plainly_spelled(stack, data, client):
    plain = data.draw(plains(stack, client))
    answer, noted = send(stack, client, plain.attack)
    ran = [(each.method, each.route, each.user) for each in noted if each.kind == "asked"]
    assert ran == [(plain.method, plain.route, stack.permission(client).user)], answer
