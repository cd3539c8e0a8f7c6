"""What an administrator types into an allowlist: how much of it is read at all."""

from appconnect.control.allowlists import MAX_RULE_CHARACTERS, MAX_RULES, parse_rules


def test_as_many_rules_as_a_client_may_have_are_read():
    rules, problems = parse_rules([f"GET /wp-json/a/{number}" for number in range(MAX_RULES)], "Allowlist")

    assert (len(rules), problems) == (MAX_RULES, [])


def test_of_more_none_is_read():
    rules, problems = parse_rules([f"GET /wp-json/a/{number}" for number in range(MAX_RULES + 1)], "Allowlist")

    assert rules == ()
    assert "more than the 10000 of a client" in problems[0].problem


def test_a_rule_that_is_too_long_is_explained_without_repeating_it():
    _, problems = parse_rules(["GET /wp-json/" + "a" * MAX_RULE_CHARACTERS], "Allowlist")

    assert "is too long" in problems[0].problem
    assert len(str(problems[0])) < 200
