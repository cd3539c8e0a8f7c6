"""Sessions of the console: who sits at a browser, since when, and until when it counts."""

from dataclasses import dataclass
from typing import Final

SESSION_SECONDS: Final = 12 * 3_600
"""A working day: then the administrator signs in again, which is one click for who is signed in to WordPress."""
SETUP_SECONDS: Final = 3_600
LINK_SECONDS: Final = 24 * 3_600
CHECK_SECONDS: Final = 60
"""How long it is believed that WordPress still knows the user as an administrator."""
UNREACHABLE_SECONDS: Final = 3_600
"""How long a session goes on while WordPress cannot be asked: its administrator must see what is wrong."""
UNVOUCHED_SECONDS: Final = 600
"""How long one goes on while WordPress does not accept our own credential: time enough to connect the site again."""


@dataclass(frozen=True, slots=True)
class Session:
    """One browser's session. `user_id` is None for the one-time link's, which may connect a site and nothing else.

    `id` is public, to list and end it; the cookie's token is known by its digest only. Times are seconds since the
    epoch.
    """

    id: str
    user_id: int | None
    login: str | None
    browser: str
    created_at: int
    expires_at: int
    checked_at: int
    asked_at: int
    used_at: int

    @property
    def is_administrator(self) -> bool:
        """Whether somebody has signed in, who was an administrator of the site then."""
        return self.user_id is not None

    def is_expired(self, *, now: int) -> bool:
        """Whether it has ended by time."""
        return now >= self.expires_at

    def needs_check(self, *, now: int) -> bool:
        """Whether WordPress is to be asked again who the user is."""
        return self.is_administrator and now - self.asked_at >= CHECK_SECONDS
