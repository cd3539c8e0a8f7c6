"""Laws of the token bucket."""

import math
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from appconnect.core.limits import Bucket, Rate

rates = st.builds(Rate, burst=st.integers(1, 50), per_second=st.sampled_from([0.1, 0.5, 1, 3, 10]))
pauses = st.lists(st.sampled_from([0, 0, 0, 0.01, 0.3, 1, 7]), min_size=1, max_size=60)


def taken(rate: Rate, times: list[float]) -> int:
    """How many of the calls at these times got their unit at once."""
    steps = accumulate(times, lambda step, now: rate.take(step[0], now=now), initial=(rate.full(now=0), 1.0))
    return sum(wait == 0 for _, wait in steps)


@given(rates, pauses)
def test_never_more_than_the_burst_and_what_was_refilled(rate, waits):
    times = list(accumulate(waits))
    assert taken(rate, times) <= rate.burst + times[-1] * rate.per_second + 1e-6


@given(rates, st.integers(1, 50))
def test_a_burst_is_served_at_once(rate, calls):
    assert taken(rate, [0.0] * calls) == min(calls, rate.burst)


@given(rates, st.floats(0, 0.999))
def test_whoever_waits_the_seconds_of_retry_after_is_served(rate, level):
    """`Retry-After` is in whole seconds (RFC 9110 §10.2.3), rounded up."""
    bucket, wait = rate.take(Bucket(level, 0), now=0)
    assert rate.take(bucket, now=math.ceil(wait))[1] == 0


@given(rates, st.floats(0, 50), st.floats(0, 1000), st.floats(0, 1000))
def test_the_level_stays_between_nothing_and_the_burst(rate, level, at, now):
    bucket, _ = rate.take(Bucket(min(level, rate.burst), at), now=now)
    assert 0 <= bucket.level <= rate.burst
