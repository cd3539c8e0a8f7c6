"""Operations on the site's routes, and on allowlists before they are saved."""

from dataclasses import dataclass
from typing import Final

from appconnect.control import presets, review
from appconnect.control.allowlists import parse_rules
from appconnect.control.clients import find_client
from appconnect.control.context import InputError, InputProblem
from appconnect.control.operations.operation import (
    AnyOperation,
    Caller,
    Input,
    Nothing,
    Operation,
    Output,
    Page,
    PageWanted,
    page,
)
from appconnect.core.admin_tokens import AdminScope
from appconnect.core.policy import AccessMode
from appconnect.core.shapes import shape_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutesWanted(PageWanted):
    """Which of the site's routes are wanted."""

    namespace: str | None = None
    """Of which namespace, such as wp/v2."""
    text: str = ""
    """A part of their path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteContent(Output):
    """A route of the site."""

    path: str
    """Its path; what varies stands in it by its name."""
    template: str
    """WordPress's own template of it."""
    namespace: str
    """The namespace that it is of."""
    methods: tuple[str, ...]
    """Its methods."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowlistToReview(Input):
    """Rules to look at under both locks."""

    rest_route_allowlist: tuple[str, ...] = ()
    """The route rules."""
    client_credentials_user: str | None = None
    """The WordPress user who would act, by login, e-mail or ID; without one, WordPress is not asked."""
    client: str | None = None
    """The client whose credential is used for asking, by ID or name, where there is one."""
    access_mode: str = AccessMode.RESTRICTED.value
    """restricted or full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRoute(Output):
    """A route that a rule opens."""

    path: str
    """Its path."""
    permission: str
    """What WordPress says to the user there: permitted, depends, refused, or unknown."""
    tried: str | None
    """The object that WordPress was asked about, where there are many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedRule(Output):
    """A rule under both locks."""

    rule: str
    """The rule."""
    permission: str
    """WordPress's lock for it as a whole."""
    opens: tuple[OpenedRoute, ...]
    """What it opens."""
    notes: tuple[str, ...]
    """What is wrong with it and what to do, the worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedAllowlist(Output):
    """An allowlist under both locks."""

    rules: tuple[ReviewedRule, ...]
    """Each rule."""
    notes: tuple[str, ...]
    """What is to be said of it as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetContent(Output):
    """A job, and the rules that it takes."""

    preset_id: str
    """Its ID."""
    label: str
    """The job in words."""
    rest_route_allowlist: tuple[str, ...]
    """The route rules."""


def _list(caller: Caller, wanted: RoutesWanted) -> Page[RouteContent]:
    found = [
        RouteContent(
            path=shape_of(route.template).path,
            template=route.template,
            namespace=route.namespace,
            methods=tuple(sorted(route.methods)),
        )
        for route in review.site_routes(caller.context)
        if wanted.namespace in (None, route.namespace)
    ]
    wanted_text = wanted.text.lower()
    return page([one for one in found if wanted_text in one.path.lower()], wanted, lambda one: one.template)


def _review(caller: Caller, given: AllowlistToReview) -> ReviewedAllowlist:
    rules, problems = parse_rules(given.rest_route_allowlist, "REST Route Allowlist")
    if given.access_mode not in set(AccessMode):
        text = f"{given.access_mode!r} is not an access mode."
        problems = [*problems, InputProblem("Access Mode", text, "Choose restricted or full.")]
    if problems:
        raise InputError(problems)
    client_id = find_client(caller.context, given.client)[0].id if given.client is not None else None
    found = review.review(
        caller.context,
        rules,
        user=given.client_credentials_user,
        client_id=client_id,
        access_mode=AccessMode(given.access_mode),
    )
    return ReviewedAllowlist(rules=tuple(map(_reviewed, found.rules)), notes=found.notes)


def _reviewed(report: review.RuleReport) -> ReviewedRule:
    opens = (OpenedRoute(path=one.path, permission=one.permission.value, tried=one.tried) for one in report.opens)
    return ReviewedRule(
        rule=str(report.rule), permission=report.permission.value, opens=tuple(opens), notes=report.notes
    )


def _presets(caller: Caller, _: Nothing) -> Page[PresetContent]:
    found = presets.presets_for(review.site_routes(caller.context))
    listed = (
        PresetContent(preset_id=one.id, label=one.label, rest_route_allowlist=tuple(map(str, one.rules)))
        for one in found
    )
    return Page(items=tuple(listed), next=None)


LIST: Final = Operation(
    name="routes.list",
    method="GET",
    path="/routes",
    scope=AdminScope.SITE_READ,
    summary="List the routes of the site's REST API.",
    takes=RoutesWanted,
    gives=Page[RouteContent],
    run=_list,
)
REVIEW: Final = Operation(
    name="routes.review",
    method="POST",
    path="/routes/review",
    scope=AdminScope.CLIENTS_WRITE,
    summary="Look at an allowlist before it is saved: what each rule opens, and what WordPress permits a user there.",
    takes=AllowlistToReview,
    gives=ReviewedAllowlist,
    run=_review,
)
PRESETS: Final = Operation(
    name="routes.presets",
    method="GET",
    path="/routes/presets",
    scope=AdminScope.SITE_READ,
    summary="List allowlists by job, for those jobs that the site has the routes for.",
    takes=Nothing,
    gives=Page[PresetContent],
    run=_presets,
)

ROUTES: Final[tuple[AnyOperation, ...]] = (LIST, REVIEW, PRESETS)
