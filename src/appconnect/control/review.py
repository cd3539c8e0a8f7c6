"""Both locks of an allowlist, before the first call: which routes each rule opens, and what WordPress permits there.

WordPress is asked as the service user itself (`OPTIONS` runs the permission callbacks and nothing else), so what
plugins and roles of the site's own say counts too.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

from appconnect.control import passwords
from appconnect.control.allowlists import advice
from appconnect.control.context import Context
from appconnect.control.role_names import role_names
from appconnect.core.batch import BATCH_SEGMENTS
from appconnect.core.policy import AccessMode
from appconnect.core.power import covered_rules, power_routes_left_closed, power_routes_opened
from appconnect.core.rules import DOUBLE_STAR, STAR, Method, RouteRule
from appconnect.core.shapes import Shape, shape_of
from appconnect.core.snapshot import UpstreamCredential
from appconnect.core.templates import RouteTemplates
from appconnect.ports import PasswordState, Site, SiteRoute, UpstreamError, WordPressUser

MAX_ASKED_EACH = 12
"""How many routes of one rule WordPress is asked about: a wide rule is too broad to be judged route by route."""
MAX_ASKED_SECONDS = 20
"""How long WordPress is asked in all: what it has not said by then stays unknown."""
MAX_ASKED = 200
"""How many routes of all rules together: WordPress answers forty in a second."""
MANY_ROUTES = 20
_CLIENT_ID = "review"
_CHANGING = (Method.POST, Method.PUT, Method.PATCH, Method.DELETE)
_PUBLISHING = {"posts": "publish_posts", "pages": "publish_pages"}
_ASKING = 4


class Permission(StrEnum):
    """WordPress's lock at a route, for one user."""

    PERMITTED = "permitted"
    DEPENDS = "depends"  # on the route, or on the object: the user may make such objects, and change its own
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Opened:
    """A route that a rule opens: its path for people, and what WordPress would say to the user there.

    `tried` is the path that it was asked about, where that is one object of many: others may differ.
    """

    path: str
    permission: Permission = Permission.UNKNOWN
    tried: str | None = None


@dataclass(frozen=True, slots=True)
class RuleReport:
    """One rule under both locks. `notes` are sentences with their remedy, the worst first."""

    rule: RouteRule
    opens: tuple[Opened, ...]
    notes: tuple[str, ...]
    is_drafts_only: bool = False
    """Whether the user may write there and not publish, which WordPress says only when it is tried."""

    @property
    def permission(self) -> Permission:
        """WordPress's lock for the rule as a whole; refused only where every route that was asked about is."""
        said = {opened.permission for opened in self.opens} - {Permission.UNKNOWN}
        if len(said) > 1:
            return Permission.DEPENDS
        return next(iter(said), Permission.UNKNOWN)

    @property
    def is_dead(self) -> bool:
        """Whether no request that it allows can succeed."""
        return not self.opens or self.permission is Permission.REFUSED


@dataclass(frozen=True, slots=True)
class Review:
    """An allowlist under both locks for one user, and what is to be said of it as a whole."""

    user: WordPressUser | None
    rules: tuple[RuleReport, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Index:
    """The site's routes, with the compiled templates that tell what a rule opens."""

    routes: tuple[SiteRoute, ...]
    templates: RouteTemplates

    def opened_by(self, rule: RouteRule) -> list[SiteRoute]:
        """The routes that a rule opens, by path and method, without those that need a rule that names them."""
        paths = set(self.templates.opened_by(rule))
        return [
            route
            for route in self.routes
            if route.template in paths and _has_method(route, rule) and not _needs_naming(route, rule)
        ]


def site_routes(context: Context) -> tuple[SiteRoute, ...]:
    """Every route that the site's index lists now."""
    return tuple(passwords.connection(context).site.routes())


def review(
    context: Context,
    rules: Sequence[RouteRule],
    *,
    user: str | None = None,
    client_id: str | None = None,
    access_mode: AccessMode = AccessMode.RESTRICTED,
) -> Review:
    """Look at rules under both locks, for the user of a client or for another who may become it.

    A user who has no credential of ours yet gets an application password for the moment of asking.
    Without a user, only the first lock is looked at.
    """
    to = passwords.connection(context)
    routes = tuple(to.site.routes())
    chosen = to.site.find_user(to.administrator.credential, user) if user else None
    if chosen is None:
        return _report(None, rules, _index(routes), access_mode, _no_answer)
    with credential_for(context, to, chosen, client_id) as credential:
        return review_as(context, to.site, credential, chosen, rules, routes, access_mode=access_mode)


def review_as(
    context: Context,
    site: Site,
    credential: UpstreamCredential,
    user: WordPressUser,
    rules: Sequence[RouteRule],
    routes: tuple[SiteRoute, ...],
    *,
    access_mode: AccessMode = AccessMode.RESTRICTED,
) -> Review:
    """The same with a credential of the user that is there already, and the site's routes."""
    deadline = context.clock() + MAX_ASKED_SECONDS
    ask = _asking(site, credential, lambda: context.clock() >= deadline)
    return _report(user, rules, _index(routes), access_mode, ask)


# -- asking WordPress -------------------------------------------------------------------------------------------------

_Ask = Callable[[RouteRule, SiteRoute], Opened]


def _no_answer(rule: RouteRule, route: SiteRoute) -> Opened:
    del rule
    return Opened(shape_of(route.template).path)


def _asking(site: Site, credential: UpstreamCredential, is_late: Callable[[], bool]) -> _Ask:
    """A question to WordPress for each route; each collection is asked once for an example of its objects."""

    @cache
    def example(collection: str) -> str | None:
        return site.example_id(credential, collection)

    @cache
    def permitted(path: str) -> frozenset[str] | None:
        return site.permitted_methods(credential, path)

    def ask(rule: RouteRule, route: SiteRoute) -> Opened:
        shape = shape_of(route.template)
        if is_late():
            return Opened(shape.path)
        try:
            path, is_example = _concrete(rule, shape, example)
            methods = permitted(path) if path is not None else None
        except UpstreamError:
            return Opened(shape.path)
        if path is None or methods is None:
            return Opened(shape.path)
        tried = f"/wp-json{path}" if is_example else None
        if rule.method is Method.OPTIONS or _asked_method(rule) in methods:
            return Opened(shape.path, Permission.PERMITTED, tried)
        makes_own = is_example and rule.method in _CHANGING and "POST" in (permitted(path.rpartition("/")[0]) or ())
        return Opened(shape.path, Permission.DEPENDS if makes_own else Permission.REFUSED, tried)

    return ask


def _concrete(rule: RouteRule, shape: Shape, example: Callable[[str], str | None]) -> tuple[str | None, bool]:
    """A path of the template that can be asked about, and whether an example stands in it; None where there is none."""
    path, is_example = "", False
    for at, literal in enumerate(shape.segments):
        given = rule.segments[at] if at < len(rule.segments) else DOUBLE_STAR
        is_last = at == len(shape.segments) - 1
        if literal is not None:
            path += f"/{literal}"
        elif given not in (STAR, DOUBLE_STAR):
            path += "/" + ("/".join(rule.segments[at:]) if is_last and shape.is_open else given)
        else:
            found = example(path) if path else None
            if found is None:
                return None, False
            path, is_example = f"{path}/{found}", True
    return path or "/", is_example


@contextmanager
def credential_for(
    context: Context, to: passwords.Connection, user: WordPressUser, client_id: str | None
) -> Iterator[UpstreamCredential]:
    """The credential to ask with: the client's own where it acts as this user already, else one for the moment."""
    own = passwords.credential_of(context, client_id) if client_id else None
    if own is not None and own.user_id == user.id:
        yield own.credential
        return
    with context.alone():
        made = passwords.make_password(
            context, to, user, _CLIENT_ID, "review of an allowlist", state=PasswordState.ASKING
        )
    try:
        yield made.credential
    finally:  # whoever waits for their turn meanwhile waits for no question
        with context.store.transaction() as transaction:
            passwords.retire(transaction, made)
        with context.alone():
            passwords.settle(context, to)


# -- what is said of it -----------------------------------------------------------------------------------------------


def _report(
    user: WordPressUser | None, rules: Sequence[RouteRule], index: _Index, access_mode: AccessMode, ask: _Ask
) -> Review:
    covered = dict(covered_rules(rules))
    with ThreadPoolExecutor(max_workers=_ASKING) as threads:
        reports, left = [], MAX_ASKED
        for rule in rules:
            routes = index.opened_by(rule)
            most = min(MAX_ASKED_EACH, left)
            asked = list(threads.map(lambda route, rule=rule: ask(rule, route), routes[:most]))
            left -= len(asked)
            opens = (*asked, *(_no_answer(rule, route) for route in routes[most:]))
            notes = tuple(_notes(rule, opens, covered.get(rule), user, index))
            reports.append(RuleReport(rule, opens, notes, _is_drafts_only(rule, user)))
    return Review(user, tuple(reports), tuple(advice((), access_mode) if not rules else _of_mode(access_mode)))


def _of_mode(access_mode: AccessMode) -> list[str]:
    return advice([RouteRule(Method.GET, ())], access_mode)


def _notes(
    rule: RouteRule, opens: Sequence[Opened], covered_by: RouteRule | None, user: WordPressUser | None, index: _Index
) -> Iterator[str]:
    if not opens:
        yield _opens_nothing(rule, index)
        return  # nothing else counts then
    refused = [opened for opened in opens if opened.permission is Permission.REFUSED]
    if user is not None and refused:
        yield _refused(rule, refused, opens, user)
    if user is not None and any(opened.permission is Permission.DEPENDS for opened in opens):
        yield f"WordPress permits it to {_who(user)} on what the user has made itself, and not on everybody's."
    if user is not None and _is_drafts_only(rule, user):
        yield f"{_who(user)} may write drafts here and not publish them. Give the user a role that may, such as Author."
    if covered_by is not None:
        yield f"Needless: {covered_by} covers it. Remove one of the two."
    for _, power in power_routes_opened([rule]):
        yield f"It {power.why}: whoever has the client's secret can do that. Keep it only if that is its job."
    for _, power in power_routes_left_closed([rule]):
        path = f"/wp-json/{'/'.join(power.segments)}"
        yield f"It leaves out {path}, which {power.why}: only a rule that names it opens it."
    if len(opens) > MANY_ROUTES:
        yield f"Broad: it opens {len(opens)} routes, and those of plugins to come. Name the ones that the client needs."


def _opens_nothing(rule: RouteRule, index: _Index) -> str:
    paths = set(index.templates.opened_by(rule))
    methods = sorted({method for route in index.routes if route.template in paths for method in route.methods})
    if methods:
        return f"It opens nothing: WordPress takes {', '.join(methods)} there. Choose one of these methods."
    if DOUBLE_STAR not in rule.segments and index.templates.opened_by(RouteRule(rule.method, (*rule.segments, STAR))):
        return f"It opens nothing: the site has routes only below this path. Write {rule}/* instead."
    return "It opens nothing: the site has no such route now. Check its spelling, or whether its plugin is active."


def _refused(rule: RouteRule, refused: Sequence[Opened], opens: Sequence[Opened], user: WordPressUser) -> str:
    who = _who(user)
    if not {Permission.PERMITTED, Permission.DEPENDS} & {opened.permission for opened in opens}:
        where = f" at {refused[0].tried}" if refused[0].tried else ""
        return (
            f"WordPress will refuse it: {who} may not {rule.method} here{where}. "
            "Give the user a role that may, choose another user, or remove the rule."
        )
    return f"WordPress permits a part of it to {who}; not: {', '.join(opened.path for opened in refused)}."


def _who(user: WordPressUser) -> str:
    return f"{user.login} ({role_names(user.roles)})"


def _is_drafts_only(rule: RouteRule, user: WordPressUser | None) -> bool:
    """`WP_REST_Posts_Controller::handle_status_param` asks for it only when a post is to be published."""
    needed = _PUBLISHING.get(rule.segments[2]) if rule.segments[:2] == ("wp", "v2") and len(rule.segments) > 2 else None
    return (
        user is not None
        and needed is not None
        and rule.method in (Method.POST, Method.PUT, Method.PATCH)
        and needed not in user.capabilities
        and "edit_posts" in user.capabilities
    )


# -- the index --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _index(routes: tuple[SiteRoute, ...]) -> _Index:
    """Hundreds of patterns: compiled once for each state of the site."""
    return _Index(routes, RouteTemplates(route.template for route in routes))


def _needs_naming(route: SiteRoute, rule: RouteRule) -> bool:
    """Whether the decision asks for a rule that spells the route out, which this one does not."""
    needing: list[tuple[str, ...]] = [BATCH_SEGMENTS] if rule.method is Method.POST else []
    needing += [power.segments for _, power in power_routes_left_closed([rule])]
    segments = [segment or STAR for segment in shape_of(route.template).segments]
    return any(
        len(segments) >= len(wanted)
        and all(want in (STAR, segment) for want, segment in zip(wanted, segments, strict=False))
        and not rule.names(wanted)
        for wanted in needing
    )


def _has_method(route: SiteRoute, rule: RouteRule) -> bool:
    """Whether WordPress dispatches the rule's method there: HEAD as GET, OPTIONS everywhere."""
    return rule.method is Method.OPTIONS or _asked_method(rule) in route.methods


def _asked_method(rule: RouteRule) -> Method:
    return Method.GET if rule.method is Method.HEAD else rule.method


def opened_paths(routes: Iterable[SiteRoute], rule: RouteRule) -> list[str]:
    """The paths that a rule opens, for people."""
    return [shape_of(route.template).path for route in _index(tuple(routes)).opened_by(rule)]
