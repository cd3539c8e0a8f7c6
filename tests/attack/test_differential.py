"""The promise, by effect: whatever WordPress runs is allowed by the client's rules, and what the rules allow runs."""

from hypothesis import given, note, settings
from hypothesis import strategies as st

from tests.attack.promises import SUITE, findings, is_refusal, plains, requests, send

EXAMPLES = 2000
PLAIN_EXAMPLES = 250


@given(data=st.data())
@settings(SUITE, max_examples=EXAMPLES)
def test_whatever_wordpress_runs_is_allowed_by_the_clients_rules(stack, data):
    client, attack = data.draw(requests(stack))
    answer, noted = send(stack, client, attack)
    note(f"{client}: {attack}, answered {answer.status} {answer.code}")
    assert findings(stack, client, answer, noted) == []


@given(data=st.data())
@settings(SUITE, max_examples=PLAIN_EXAMPLES)
def test_what_the_rules_allow_runs_however_it_is_plainly_spelled(stack, data):
    client, plain = data.draw(plains(stack))
    answer, noted = send(stack, client, plain.attack)
    asked = [each for each in noted if each.kind == "asked"]
    expected = [(method, stack.filled(route, client)) for method, route in plain.ran]
    assert [(each.method, each.route) for each in asked] == expected, answer
    assert {each.user for each in asked} == {stack.permission(client).user}
    assert not is_refusal(answer), answer
