"""Try a request: what would become of it, under both locks, and the rule that is missing added with one click."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from appconnect.console.activity_words import why
from appconnect.console.client_rules import PERMITTED
from appconnect.console.web import PREFIX, Form, Gone, Notice, PageRoute, Result, Shown, Visit
from appconnect.control.clients import Draft, edit_client, find_client
from appconnect.control.context import InputError, InputProblem
from appconnect.control.explain import Asked, Explanation, explain
from appconnect.core.clients import Client
from appconnect.core.rules import Method
from appconnect.ports import UpstreamError

VERDICT: Final = "_try_verdict.html"
_PREFIX: Final = "app_connect_"
"""Of the codes in answers, which refusals are recorded without."""


def try_page(visit: Visit) -> Result:
    """The form, filled in and answered where the address says what to try."""
    return _answered(visit, _asked(visit.query, visit.secret or {}), visit.query.text("client"))


def try_it(visit: Visit) -> Result:
    """Answer what was typed, or add the rule that is missing."""
    asked = _asked(visit.form, {})
    if visit.form.has("add_rule"):
        return _add_rule(visit, asked)
    return _answered(visit, asked, visit.form.text("client"), is_sent=True)


def _asked(form: Form, left: Mapping[str, str]) -> Asked:
    """A request as typed; a body comes back from before the redirect, as it has no place in an address."""
    body, content_type = left.get("body", form.text("body")), left.get("content_type", form.text("content_type"))
    return Asked(form.text("method", Method.GET), form.text("path"), body, content_type)


def _answered(visit: Visit, asked: Asked, typed_client: str, *, is_sent: bool = False) -> Result:
    chosen = _chosen(visit, typed_client)
    problems = tuple(_problems(chosen, asked)) if is_sent else ()
    found = explain(visit.context, chosen.id, asked) if chosen and asked.path and not problems else None
    values = {
        "page_title": f"Try a Request: {chosen.name}" if chosen else "Try a Request",
        "client": chosen,
        "is_of_client": "client_id" in visit.request.path_params,
        "clients": _options(visit),
        "asked": asked,
        "methods": [(method, method) for method in Method],
        "action": PREFIX + _own_path(visit),
        "found": found,
        "locks": _locks(found) if found else (),
        "reason": why(found.code.removeprefix(_PREFIX)).reason if found and found.code else "",
        "is_part": visit.is_partial,
    }
    status = 400 if problems and not visit.is_partial else 200
    return Shown("try.html", values, status, problems, partial=VERDICT if is_sent else None)


def _chosen(visit: Visit, typed: str) -> Client | None:
    """The client whose page it is, or the one that was chosen."""
    if "client_id" in visit.request.path_params:
        return find_client(visit.context, visit.parameter("client_id"))[0]
    return visit.snapshot.clients.get(typed)


def _own_path(visit: Visit) -> str:
    own = visit.request.path_params.get("client_id")
    return f"/clients/{own}/try" if own else "/try"


def _problems(client: Client | None, asked: Asked) -> list[InputProblem]:
    problems = []
    if client is None:
        problems.append(InputProblem("client", "Client is missing.", "Choose one."))
    if not asked.path:
        problems.append(InputProblem("path", "Path is missing.", "Write one such as /wp-json/wp/v2/posts."))
    return problems


def _options(visit: Visit) -> list[tuple[str, str]]:
    clients = sorted(visit.snapshot.clients.values(), key=lambda client: client.name.casefold())
    return [("", "Choose a client"), *((client.id, f"{client.name} ({client.id})") for client in clients)]


def _locks(found: Explanation) -> list[tuple[str, str, str]]:
    allowlist = ("Allowlist", "yes" if found.is_allowed else "no", found.sentence)
    if found.wordpress is None:
        return [allowlist, ("WordPress", "unknown", "WordPress is not asked: the request has no single meaning.")]
    return [allowlist, ("WordPress", PERMITTED[found.wordpress.permission], found.wordpress.sentence)]


def _add_rule(visit: Visit, asked: Asked) -> Result:
    """Add the rule to the client, and come back to the same request, its body included."""
    wanted = str(visit.request.path_params.get("client_id") or visit.form.text("client"))
    client, _ = find_client(visit.context, wanted)
    rule = visit.form.text("add_rule")
    try:
        edit_client(visit.context, client.id, Draft(allow=[rule]))
    except UpstreamError as error:
        notices = (Notice("error", f"The rule is not added. {error.facts} {error.remedy}"),)
    except InputError as error:
        notices = (Notice("error", f"The rule is not added. {error}"),)
    else:
        text = f"{client.name} has the new rule {rule}. A token from before does not have it: request a new one."
        notices = (Notice("success", text),)
    query: dict[str, Any] = {"client": client.id, "method": asked.method, "path": asked.path}
    body = {"body": asked.body, "content_type": asked.content_type} if asked.body else None
    return Gone(f"{_own_path(visit)}?{urlencode(query)}", notices, body)


PAGES: Final = (
    PageRoute("/try", try_page, try_it, section="clients"),
    PageRoute("/clients/{client_id}/try", try_page, try_it, section="clients"),
)
