"""A token bucket as arithmetic."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left of an allowance: `level` units at the time `at` (seconds)."""

    level: float
    at: float


@dataclass(frozen=True, slots=True)
class Rate:
    """An allowance: `burst` units at once, refilled at `per_second`."""

    burst: float
    per_second: float

    def full(self, *, now: float) -> Bucket:
        """A bucket that nothing was taken from."""
        return Bucket(self.burst, now)

    def refilled(self, bucket: Bucket, *, now: float) -> Bucket:
        """The bucket as it stands now; a clock that stepped back takes nothing away."""
        elapsed = max(0.0, now - bucket.at)
        return Bucket(min(self.burst, bucket.level + elapsed * self.per_second), now)

    def take(self, bucket: Bucket, *, now: float) -> tuple[Bucket, float]:
        """Take one unit: the bucket afterwards and how many seconds to wait before it is due (0 when it was there).

        A unit that was not there is not taken.
        """
        current = self.refilled(bucket, now=now)
        if current.level >= 1:
            return Bucket(current.level - 1, now), 0.0
        return current, (1 - current.level) / self.per_second
