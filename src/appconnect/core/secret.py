"""A value that must not be shown: it opens only where somebody says so."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that prints as `Secret()`; only `reveal()` gives it back, so a log line or traceback never does."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        return self._text

    def __str__(self) -> str:
        return "Secret()"
