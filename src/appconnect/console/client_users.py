"""Client Credentials User: the site's users to choose from, with what each can do and what speaks against it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from appconnect.control.context import Context
from appconnect.control.role_names import role_names
from appconnect.control.service_users import abilities, find_users
from appconnect.ports import UpstreamError, WordPressUser

_MOST_OF_NAME: Final = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """A user as the form shows it; `warnings` say why another would be safer."""

    login: str
    name: str
    roles: str
    abilities: tuple[str, ...]
    warnings: tuple[str, ...]


def candidates(users: Iterable[WordPressUser]) -> list[Candidate]:
    """Users as the form shows them."""
    return [candidate(user) for user in users]


def candidate(user: WordPressUser) -> Candidate:
    """One user as the form shows it."""
    return Candidate(user.login, user.name, role_names(user.roles), tuple(abilities(user)), tuple(_warnings(user)))


def known_user(context: Context, login: str) -> Candidate | None:
    """The user with this login; None where there is none, or WordPress cannot be asked now."""
    if not login:
        return None
    try:
        users = find_users(context, login)
    except UpstreamError:
        return None
    return next((candidate(user) for user in users if login.casefold() in (user.login.casefold(), user.email)), None)


def suggested_login(name: str) -> str:
    """A login for a client's own user, `backend-service-bot` for Backend Service; empty where the name gives none."""
    plain = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_MOST_OF_NAME].strip("-")
    return f"{words}-bot" if words and not words.endswith("bot") else words


def _warnings(user: WordPressUser) -> Iterator[str]:
    if user.as_service_user.is_administrator:
        yield "An administrator: whoever gets the client's secret could do what an administrator can. Choose another."
    if user.signs_of_a_person:
        yield f"Seems to be a person's account: {'; '.join(user.signs_of_a_person)}. A user of its own is safer."
