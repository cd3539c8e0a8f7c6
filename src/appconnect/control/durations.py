"""Durations in words, the same in the console and on the command line."""


def duration(seconds: int) -> str:
    """In the largest unit that fits without a rest: `1 hour`, `90 minutes`."""
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return _counted(seconds // size, unit)
    return _counted(seconds, "second")


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
