"""Operations on the WordPress users that clients act as."""

from dataclasses import dataclass
from typing import Any, Final

from appconnect.control import service_users as control
from appconnect.control.allowlists import parse_rules
from appconnect.control.context import InputError
from appconnect.control.operations.operation import AnyOperation, Caller, Input, Operation, Output, Page
from appconnect.core.admin_tokens import AdminScope
from appconnect.ports import WordPressUser


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersWanted(Input):
    """Which users are wanted."""

    text: str = ""
    """A part of their login, name or e-mail address; the first users, where it is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserContent(Output):
    """A WordPress user."""

    user_id: int
    """Their ID."""
    login: str
    """Their login."""
    name: str
    """Their name."""
    email: str
    """Their e-mail address."""
    roles: tuple[str, ...]
    """Their roles."""
    abilities: tuple[str, ...]
    """What they can do, in words, the most powerful first."""
    signs_of_a_person: tuple[str, ...]
    """Why this seems to be a person's account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser(Input):
    """A dedicated user to make."""

    username: str
    """Its login: small letters, digits, dot, hyphen or underscore."""
    rest_route_allowlist: tuple[str, ...] = ()
    """The route rules that its role is to cover."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedUser(UserContent):
    """A user that was made. Nobody knows its password."""

    role: str
    """The smallest role that covers the rules, as far as a role can."""


def _fields(user: WordPressUser) -> dict[str, Any]:
    return {
        "user_id": user.id,
        "login": user.login,
        "name": user.name,
        "email": user.email,
        "roles": tuple(sorted(user.roles)),
        "abilities": tuple(control.abilities(user)),
        "signs_of_a_person": user.signs_of_a_person,
    }


def _find(caller: Caller, wanted: UsersWanted) -> Page[UserContent]:
    found = control.find_users(caller.context, wanted.text)
    return Page(items=tuple(UserContent(**_fields(user)) for user in found), next=None)


def _create(caller: Caller, given: NewUser) -> CreatedUser:
    rules, problems = parse_rules(given.rest_route_allowlist, "REST Route Allowlist")
    if problems:
        raise InputError(problems)
    created = control.create_service_user(caller.context, given.username, rules)
    return CreatedUser(**_fields(created.user), role=created.role)


FIND: Final = Operation(
    name="users.find",
    method="GET",
    path="/users",
    scope=AdminScope.SITE_READ,
    summary="Find WordPress users that a client could act as; at most 20 are given.",
    takes=UsersWanted,
    gives=Page[UserContent],
    run=_find,
)
CREATE: Final = Operation(
    name="users.create",
    method="POST",
    path="/users",
    scope=AdminScope.USERS_WRITE,
    summary="Make a dedicated WordPress user with the smallest role that covers some rules, never an administrator.",
    takes=NewUser,
    gives=CreatedUser,
    run=_create,
    status=201,
)

USERS: Final[tuple[AnyOperation, ...]] = (FIND, CREATE)
