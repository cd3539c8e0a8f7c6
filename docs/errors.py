"""The page of errors: what the code can answer, found in the code and asked of the functions that word it."""

import ast
import importlib
import inspect
import json
import ssl
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from urllib3 import exceptions

import appconnect
from appconnect import http1
from appconnect.asgi import Answer
from appconnect.control import setup
from appconnect.core import batch, canonical
from appconnect.core.body import MAX_READ_BYTES
from appconnect.core.decision import Deny, Reason
from appconnect.core.rules import RouteRule
from appconnect.core.snapshot import SiteAddress, Snapshot
from appconnect.gateway import refusals
from appconnect.gateway.receive import Presented
from appconnect.gateway.upstream_page import upstream_page
from appconnect.oauth.errors import ErrorCode, OAuthError
from appconnect.ports import SiteProblem, UpstreamError, UpstreamFailure, WordPressUser
from appconnect.site import problems
from docs.markdown import table

ROOT: Final = Path(appconnect.__file__).parent
_NAME_A_RULE: Final = (Reason.NO_RULE, Reason.POWER_ROUTE)
SITE: Final = SiteAddress("https://your-site.com", "https://your-site.com", has_pretty_permalinks=True)


def errors_page(snapshot: Snapshot) -> list[str]:
    """The page."""
    return [
        "# Errors",
        "",
        "Here you find every error that App Connect answers or reports, with its status, its words and what to do.",
        "`…` stands for what differs from case to case.",
        "",
        "## From the token, revocation and introspection endpoints",
        "",
        "They are worded as RFC 6749 §5.2 has it: `error` and `error_description`.",
        "`invalid_client` comes with `WWW-Authenticate: Basic`, `temporarily_unavailable` with `Retry-After`.",
        "",
        *table(("`error`", "Status", "`error_description`"), _oauth_rows()),
        "",
        "## From the gateway",
        "",
        "They are in WordPress's own format: `code`, `message` and `data.status`.",
        "Each code begins with `app_connect_`; an error without that prefix is WordPress's own, passed on unchanged.",
        "",
        *table(("`code`", "Status", "When", "`message`"), _refusal_rows(snapshot)),
        "",
        "### What is no request",
        "",
        "These come from the HTTP server, to any address, and end the connection.",
        "",
        *table(("`code`", "Status", "`message`"), _unread_rows()),
        "",
        "### Requests of no single meaning",
        "",
        "What two readers could understand differently is refused before anything is decided.",
        "The remedy is to write the request in its plain form.",
        "",
        *table(("`code`", "Status", "`message`"), _refused_rows()),
        "",
        "## Between App Connect and the site",
        "",
        "`app-connect connect`, `clients` and `status` report these, with the remedy.",
        "With `--json` the name stands in `error.problems[].field`.",
        *_site_problems(),
    ]


# -- endpoints --------------------------------------------------------------------------------------------------------


def _oauth_rows() -> list[tuple[str, ...]]:
    found = [
        (ErrorCode[call.args[0].attr], _words(call.args[1], module, tree))
        for module, tree in _modules("oauth")
        for call in _calls(tree, "OAuthError")
        if isinstance(call.args[0], ast.Attribute)
    ]
    _require_all(ErrorCode, {code for code, _ in found})
    order = list(ErrorCode)
    found.sort(key=lambda one: order.index(one[0]))
    return [(f"`{code}`", str(OAuthError(code, "").answer().status), words) for code, words in dict.fromkeys(found)]


# -- gateway ----------------------------------------------------------------------------------------------------------


def _refusal_rows(snapshot: Snapshot) -> list[tuple[str, ...]]:
    return [_refusal_row(when, answer) for when, answer in _refusals(snapshot)]


def _refusal_row(when: str, answer: Answer) -> tuple[str, ...]:
    content = json.loads(answer.body)
    return f"`{content['code']}`", str(answer.status), when, content["message"]


def _refusals(snapshot: Snapshot) -> Iterable[tuple[str, Answer]]:
    """Each public function of `refusals`, called; its docstring says when."""
    rule = RouteRule.parse("POST /wp-json/wp/v2/users")
    calls: dict[str, list[Callable[[], Answer]]] = {
        "token_required": [
            lambda shown=shown: refusals.token_required(snapshot, shown)  # type: ignore[misc]
            for shown in (Presented(), Presented(has_client_credentials=True), Presented(has_token_elsewhere=True))
        ],
        "invalid_token": [lambda: refusals.invalid_token(snapshot)],
        "forbidden": [
            lambda deny=deny: refusals.forbidden(deny, snapshot)  # type: ignore[misc]
            for deny in [
                *(Deny(reason, rule if reason in _NAME_A_RULE else None) for reason in Reason),
                Deny(Reason.NO_RULE, rule, part=1),
            ]
        ],
        "api_disabled": [refusals.api_disabled],
        "not_connected": [refusals.not_connected],
        "credential_lost": [refusals.credential_lost],
        "credential_replaced": [refusals.credential_replaced],
        "credential_unchecked": [refusals.credential_unchecked],
        "body_too_large": [lambda: refusals.body_too_large(MAX_READ_BYTES)],
        "upstream_page": [lambda status=status: upstream_page(status, ()) for status in (302, 403, 413, 500)],  # type: ignore[misc]
        "too_many_requests": [lambda: refusals.too_many_requests(5.0)],
        "upstream_unavailable": [
            lambda failure=failure: refusals.upstream_unavailable(failure)  # type: ignore[misc]
            for failure in UpstreamFailure
        ],
    }
    makers = {"refusal", "refused"}  # the format itself, and the next table
    named = {name for name, one in inspect.getmembers(refusals, inspect.isfunction) if _is_public(one, refusals)}
    if (named - makers) | {"upstream_page"} != set(calls):
        raise LookupError(
            f"docs/errors.py does not call {sorted((named - makers) ^ set(calls))} of gateway/refusals.py"
        )
    for name, answers in calls.items():
        when = _first_sentence(upstream_page if name == "upstream_page" else getattr(refusals, name))
        yield from ((when, answer()) for answer in answers)


def _unread_rows() -> list[tuple[str, ...]]:
    contents = [json.loads(answer.body) for answer in http1.refusals(http1.Limits()).values()]
    return [(f"`{each['code']}`", str(each["data"]["status"]), each["message"]) for each in contents]


def _refused_rows() -> list[tuple[str, ...]]:
    found = {
        (f"`app_connect_{_words(code, module, tree)}`", _words(status, module, tree), _words(message, module, tree))
        for room in ("core", "gateway", "site")
        for module, tree in _modules(room)
        for call in _calls(tree, "Refused")
        for status, code, message in [call.args]
    }
    worded = {(canonical, "_refuse_path"), (batch, "_refuse"), (batch, "_refuse_part")}
    found = {row for row in found if row[0] not in ("`app_connect_malformed_path`", "`app_connect_malformed_batch`")}
    for module, name in worded:
        tree = ast.parse(inspect.getsource(module))
        for call in _calls(tree, name):
            error = getattr(module, name)(_words(call.args[0], module, tree))
            found.add((f"`{error.code}`", str(error.status), error.message))
    return sorted(found)


# -- site -------------------------------------------------------------------------------------------------------------


def _site_problems() -> list[str]:
    found: dict[SiteProblem, dict[tuple[str, str], None]] = {problem: {} for problem in SiteProblem}
    for error in (*_transport_errors(), *_worded_errors(), _not_an_administrator()):
        found[error.problem][error.facts, error.remedy] = None
    _require_all(SiteProblem, {problem for problem, rows in found.items() if rows})
    lines = []
    for problem, rows in found.items():
        lines += ["", f"### `{problem}`", "", *table(("What happened", "What to do"), rows)]
    return lines


def _transport_errors() -> Iterable[UpstreamError]:
    pool: Any = SimpleNamespace()
    refused = exceptions.NewConnectionError(pool, "…")
    refused.__cause__ = ConnectionRefusedError(111, "Connection refused")
    tls = ssl.SSLError()
    tls.reason = "WRONG_VERSION_NUMBER"
    causes = [
        exceptions.NameResolutionError("your-site.com", pool, pool),
        refused,
        exceptions.ConnectTimeoutError(pool, "…"),
        exceptions.ReadTimeoutError(pool, "/", "…"),
        exceptions.ProtocolError("…", ConnectionResetError(104, "Connection reset by peer")),
        exceptions.SSLError(tls),
        *(exceptions.SSLError(_certificate_error(code)) for code in (10, 9, 62, 20, 1)),
    ]
    return [problems.of_transport(SITE, cause) for cause in causes]


def _certificate_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "…"
    return error


def _worded_errors() -> Iterable[UpstreamError]:
    url, what = SITE.url, "GET https://your-site.com/wp-json/wp/v2/users/me"
    calls: dict[str, list[UpstreamError]] = {
        "of_transport": [],  # above
        "unusable_ca_file": [problems.unusable_ca_file(Path("ca.pem"), OSError(2, "No such file or directory"))],
        "too_large": [problems.too_large(what, 16 * 1024 * 1024)],
        "not_an_address": [problems.not_an_address("your site")],
        "other_path": [problems.other_path(url + "/blog", "http://127.0.0.1:8081")],
        "not_wordpress": [problems.not_wordpress(url, ["…", "…"])],
        "a_gateway": [problems.a_gateway(url)],
        "rest_blocked": [problems.rest_blocked("GET https://your-site.com/wp-json/", "…")],
        "moved": [
            problems.moved(url, "https://www.your-site.com", "The WordPress at … says that its address is ….", None)
        ],
        "no_https": [problems.no_https(url, "….")],
        "application_passwords_off": [problems.application_passwords_off("…", is_https_certain=True)],
        "credential_unseen": [problems.credential_unseen(what, "admin", "rest_not_logged_in")],
        "wrong_credential": [problems.wrong_credential("admin", "incorrect_password", "…")],
        "no_such_user": [problems.no_such_user("api-bto", "user name", ["api-bot"])],
        "user_exists": [problems.user_exists("api-bot")],
        "refused": [
            problems.refused(what, 403, code, "…")
            for code in ("rest_…", "rest_no_route", "application_passwords_disabled_for_user")
        ],
        "unexpected": [problems.unexpected(what, "…")],
    }
    named = {name for name, one in inspect.getmembers(problems, inspect.isfunction) if _is_public(one, problems)}
    if named != set(calls):
        raise LookupError(f"docs/errors.py does not call {sorted(named ^ set(calls))} of site/problems.py")
    return [error for errors in calls.values() for error in errors]


def _not_an_administrator() -> UpstreamError:
    editor = WordPressUser(2, "editor", "", "", frozenset(("editor",)), frozenset())
    try:
        setup.require_administrator(editor)
    except UpstreamError as error:
        return error
    raise LookupError("an editor may connect a site")


# -- reading the code -------------------------------------------------------------------------------------------------


def _modules(room: str) -> Iterable[tuple[ModuleType, ast.Module]]:
    for file in sorted((ROOT / room).glob("*.py")):
        module = importlib.import_module(f"appconnect.{room}.{file.stem}")
        yield module, ast.parse(file.read_text("utf-8"))


def _calls(tree: ast.Module, name: str) -> Iterable[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def _words(node: ast.expr, module: ModuleType, tree: ast.Module) -> str:
    """A text as far as the code fixes it; `…` for what it does not."""
    match node:
        case ast.Constant(value):
            return str(value)
        case ast.JoinedStr(parts):
            return "".join(_words(part, module, tree) for part in parts)
        case ast.FormattedValue(ast.Name(name)) if hasattr(module, name):
            return str(getattr(module, name))
        case ast.Name(name) if hasattr(module, name):
            return str(getattr(module, name))
        case ast.Name(name):
            return next((_words(value, module, tree) for value in _assigned(tree, name)), "…")
        case _:
            return "…"


def _assigned(tree: ast.Module, name: str) -> Iterable[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == name for one in node.targets):
            yield node.value


def _is_public(function: Any, module: ModuleType) -> bool:
    return function.__module__ == module.__name__ and not function.__name__.startswith("_")


def _first_sentence(function: Any) -> str:
    return (inspect.getdoc(function) or "").splitlines()[0]


def _require_all(closed_set: type[Enum], found: Mapping[Any, Any] | set[Any]) -> None:
    if missing := [member for member in closed_set if member not in found]:
        raise LookupError(f"nothing in the code answers {missing}")
