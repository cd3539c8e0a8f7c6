"""What limits an aim that is not met, and what was tried: written by people, by the aim's text, after a whole run."""

from collections.abc import Mapping
from typing import Final

LIMITS: Final[Mapping[str, str]] = {}
