"""The token bucket: a burst at once, then the rate, and never more than that."""

from appconnect.core.limits import Bucket, Rate

TWO_AT_ONCE_ONE_A_SECOND = Rate(burst=2, per_second=1)
ONE_IN_TEN_SECONDS = Rate(burst=1, per_second=0.1)


def test_a_full_bucket_holds_the_burst():
    assert TWO_AT_ONCE_ONE_A_SECOND.full(now=100) == Bucket(2, 100)


def test_a_unit_that_is_there_is_taken_without_waiting():
    assert TWO_AT_ONCE_ONE_A_SECOND.take(Bucket(2, 100), now=100) == (Bucket(1, 100), 0)


def test_the_last_unit_can_be_taken():
    assert TWO_AT_ONCE_ONE_A_SECOND.take(Bucket(1, 100), now=100) == (Bucket(0, 100), 0)


def test_a_unit_that_is_not_there_is_not_taken_and_the_wait_is_told():
    assert ONE_IN_TEN_SECONDS.take(Bucket(0.5, 100), now=100) == (Bucket(0.5, 100), 5)


def test_after_the_wait_the_unit_is_there():
    assert ONE_IN_TEN_SECONDS.take(Bucket(0.5, 100), now=105) == (Bucket(0, 105), 0)


def test_just_before_it_is_not():
    assert ONE_IN_TEN_SECONDS.take(Bucket(0.5, 100), now=104)[1] > 0


def test_time_refills_at_the_rate():
    assert TWO_AT_ONCE_ONE_A_SECOND.refilled(Bucket(0.5, 100), now=101) == Bucket(1.5, 101)


def test_time_never_fills_above_the_burst():
    assert TWO_AT_ONCE_ONE_A_SECOND.refilled(Bucket(0, 100), now=100_000) == Bucket(2, 100_000)


def test_a_clock_that_stepped_back_takes_nothing_away():
    assert TWO_AT_ONCE_ONE_A_SECOND.refilled(Bucket(1, 100), now=40).level == 1


def test_a_clock_that_stepped_back_still_refills_from_there():
    assert TWO_AT_ONCE_ONE_A_SECOND.refilled(Bucket(0, 40), now=41) == Bucket(1, 41)


def test_asking_in_vain_does_not_push_the_unit_away():
    bucket, _ = ONE_IN_TEN_SECONDS.take(Bucket(0, 100), now=105)
    assert ONE_IN_TEN_SECONDS.take(bucket, now=110) == (Bucket(0, 110), 0)
