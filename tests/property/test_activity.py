"""Laws of what waits for the database: nothing is lost below the bound, and what is lost above it is counted."""

from hypothesis import given
from hypothesis import strategies as st

from appconnect.core.activity import Activity, ClientUse, Refusal, merged

clients, rules, hours = st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(0, 5).map(lambda n: n * 3_600)
few = st.integers(1, 9)
uses = st.builds(ClientUse, few, few, few, st.integers(0, 99))
refusals = st.builds(Refusal, few, st.none(), *(st.just("") for _ in range(4)), st.none(), st.just(""), st.booleans())
activities = st.builds(
    Activity,
    st.lists(refusals, max_size=5).map(tuple),
    st.dictionaries(st.tuples(clients, rules, hours), few, max_size=6),
    st.dictionaries(st.tuples(clients, hours), uses, max_size=6),
    st.dictionaries(st.tuples(clients, st.binary(max_size=1)), st.integers(0, 99)),
    lost=st.integers(0, 3),
)


def records(activity: Activity) -> int:
    """Everything that was recorded, kept or lost."""
    used = sum(use.records for use in activity.client_uses.values())
    return len(activity.refusals) + sum(activity.rule_uses.values()) + used + activity.lost


@given(activities, activities)
def test_below_the_bound_nothing_is_lost(older, newer):
    both = merged(older, newer)
    assert both.lost == older.lost + newer.lost
    assert both.refusals == older.refusals + newer.refusals
    assert records(both) == records(older) + records(newer)


@given(activities, activities, st.integers(0, 6), st.integers(0, 6))
def test_above_the_bound_all_that_is_lost_is_counted(older, newer, most_refusals, most_counters):
    both = merged(older, newer, most_refusals=most_refusals, most_unproven=most_refusals, most_counters=most_counters)
    assert records(both) == records(older) + records(newer)
    assert len(both.refusals) <= 2 * most_refusals
    assert max(len(both.rule_uses), len(both.client_uses)) <= most_counters


@given(activities, activities, activities)
def test_it_does_not_matter_when_what_waits_is_put_together(first, second, third):
    assert merged(merged(first, second), third) == merged(first, merged(second, third))


@given(activities)
def test_nothing_added_changes_nothing(activity):
    assert merged(activity, Activity()) == activity == merged(Activity(), activity)
