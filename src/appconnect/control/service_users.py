"""WordPress users for clients to act as: finding one, saying what it can do, and making a dedicated one."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from appconnect.control import passwords
from appconnect.control.context import Context, InputError
from appconnect.control.review import Review, credential_for, review_as
from appconnect.core.audit import AuditEventType
from appconnect.core.rules import RouteRule
from appconnect.core.secret import Secret
from appconnect.ports import SiteProblem, UpstreamError, WordPressUser

MAX_FOUND: Final = 20
ROLES: Final = ("subscriber", "contributor", "author", "editor")
"""WordPress's own roles from the smallest on. An administrator is never made: that is for people to decide."""
_SHOP_ROLE: Final = "shop_manager"
_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")

_ABILITIES: Final = (
    ("manage_options", "change the site's settings"),
    ("edit_users", "change other users"),
    ("manage_woocommerce", "manage the shop"),
    ("edit_others_pages", "edit everybody's pages"),
    ("edit_others_posts", "edit everybody's posts"),
    ("moderate_comments", "moderate comments"),
    ("publish_posts", "publish posts"),
    ("edit_posts", "write posts"),
    ("upload_files", "upload media"),
    ("read_private_posts", "read private posts"),
    ("read", "read what is public, and its own profile"),
)


@dataclass(frozen=True, slots=True)
class CreatedUser:
    """A user that was made for a client, with the smallest role that covers the rules as far as a role can."""

    user: WordPressUser
    role: str
    review: Review


def find_users(context: Context, text: str) -> Sequence[WordPressUser]:
    """Users whose login, name or e-mail address has the text in it; the first ones for an empty text."""
    to = passwords.connection(context)
    return to.site.search_users(to.administrator.credential, text, limit=MAX_FOUND)


def abilities(user: WordPressUser) -> list[str]:
    """What a user can do, in words, the most powerful first."""
    return [words for capability, words in _ABILITIES if capability in user.capabilities]


def create_service_user(context: Context, login: str, rules: Sequence[RouteRule]) -> CreatedUser:
    """Make a user for a client with the smallest role that covers the rules, found by asking WordPress as that user.

    Nobody knows its password. Where no role below administrator covers all rules, it gets the smallest that covers
    most, and the review says what stays refused.
    """
    login = login.strip()
    if _LOGIN.fullmatch(login) is None:
        raise InputError.of(
            "Username", f"{login!r} is not a username for it.", "Use small letters, digits, dot, hyphen or underscore."
        )
    to = passwords.connection(context)
    administrator = to.administrator.credential
    host = urlsplit(to.address.url).hostname or "site"
    try:
        user = to.site.create_user(
            administrator,
            login=login,
            email=f"{login}@{host}.invalid",  # RFC 2606: no mail, such as a password reset, reaches anybody
            password=Secret(context.entropy(32).hex()),
            role=ROLES[0],
        )
    except UpstreamError as error:
        if error.problem is SiteProblem.USER_EXISTS:
            raise InputError.of("Username", error.facts, error.remedy) from error
        raise
    try:
        with context.store.transaction() as transaction:
            transaction.record(context.event(AuditEventType.SERVICE_USER_CREATED, login, f"for {len(rules)} rules"))
        return _with_smallest_role(context, to, user, rules)
    except BaseException:
        with suppress(UpstreamError):  # what went wrong before is what counts
            to.site.delete_user(administrator, user.id)
        raise


def _with_smallest_role(
    context: Context, to: passwords.Connection, user: WordPressUser, rules: Sequence[RouteRule]
) -> CreatedUser:
    """Try the roles from the smallest on; stop at the first with which every rule can do all that it seems to."""
    administrator, routes = to.administrator.credential, tuple(to.site.routes())
    roles = (*ROLES, _SHOP_ROLE) if any(rule.segments[:1] == ("wc",) for rule in rules) else ROLES
    found: list[tuple[int, CreatedUser]] = []
    with credential_for(context, to, user, None) as credential:
        for role in roles:
            if role not in user.roles and not _takes_role(to, user, role):
                continue
            user = to.site.find_user(administrator, str(user.id))
            reviewed = review_as(context, to.site, credential, user, rules, routes)
            dead = sum(report.is_dead or report.is_drafts_only for report in reviewed.rules)
            found.append((dead, CreatedUser(user, role, reviewed)))
            if dead == 0:
                break
    _, best = min(found, key=lambda one: one[0])  # of those alike, the first: the smallest role
    if best.role not in user.roles:
        to.site.set_role(administrator, user.id, best.role)
    return best


def _takes_role(to: passwords.Connection, user: WordPressUser, role: str) -> bool:
    """Give the user a role; a site may lack one of core's, and has its shop's only with the shop."""
    try:
        to.site.set_role(to.administrator.credential, user.id, role)
    except UpstreamError as error:
        if error.problem is SiteProblem.REFUSED:
            return False
        raise
    return True
