"""How the admin API says no: problem details (RFC 9457) that list everything that is wrong."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from appconnect.asgi import NO_STORE, Answer, json_answer
from appconnect.control.context import BusyError, InputError, InputProblem, NotFoundError
from appconnect.control.operations.operation import AnyOperation, field_of
from appconnect.core.request import Pair
from appconnect.ports import UpstreamError

SECURITY: Final[tuple[Pair, ...]] = (
    NO_STORE,
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""On every answer: it is for one program, once, and for no browser."""

_PROBLEM_JSON: Final[Pair] = (b"content-type", b"application/problem+json")


class Problem(Exception):
    """An answer that ends the handling of a request."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def problem(
    status: int, field: str, text: str, remedy: str, *headers: Pair, kind: str = "input", **extension: Any
) -> Problem:
    """A problem with one entry."""
    entry = InputProblem(field, text, remedy)
    return Problem(_answer(status, kind, [_entry(entry, None)], str(entry), headers, extension))


def of_input(error: InputError, operation: AnyOperation) -> Problem:
    """Wrong input: 404 for a thing in the path that is not there, 409 while another change is at work, else 422."""
    fields = [field_of(operation.takes, one.field) for one in error.problems]
    status = HTTPStatus.UNPROCESSABLE_ENTITY.value
    if isinstance(error, BusyError):
        status = HTTPStatus.CONFLICT.value
    elif isinstance(error, NotFoundError) and any(field in operation.places for field in fields):
        status = HTTPStatus.NOT_FOUND.value
    entries = [_entry(one, field) for one, field in zip(error.problems, fields, strict=True)]
    return Problem(_answer(status, "input", entries, str(error)))


def of_upstream(error: UpstreamError) -> Problem:
    """WordPress could not be asked, or did not do it."""
    entry = {"field": error.problem.value, "problem": error.facts, "remedy": error.remedy}
    return Problem(_answer(HTTPStatus.BAD_GATEWAY.value, "wordpress", [entry], str(error)))


def unauthorized(text: str, remedy: str, *, is_presented: bool) -> Problem:
    """RFC 6750 §3: a request without a token learns only that it needs one."""
    error = ', error="invalid_token"' if is_presented else ""
    challenge = f'Bearer realm="App Connect administration"{error}'.encode()
    return problem(401, "token", text, remedy, (b"www-authenticate", challenge))


def insufficient_scope(name: str, scope: str) -> Problem:
    """RFC 6750 §3.1: it names the scope that is needed."""
    challenge = f'Bearer realm="App Connect administration", error="insufficient_scope", scope="{scope}"'.encode()
    text = f"It lacks the scope {scope}, which {name} needs."
    return problem(403, "token", text, "Use a token that has it.", (b"www-authenticate", challenge), scope=scope)


def _entry(one: InputProblem, field: str | None) -> dict[str, str]:
    """`pointer` is where in the body, the query or the path the field stands (RFC 6901), where it is known."""
    pointer = {"pointer": f"#/{quote(field)}"} if field is not None else {}
    return {"field": one.field, "problem": one.problem, "remedy": one.remedy, **pointer}


def _answer(
    status: int,
    kind: str,
    entries: list[dict[str, str]],
    detail: str,
    headers: Iterable[Pair] = (),
    extension: Mapping[str, Any] | None = None,
) -> Answer:
    """`type` is left out, which means `about:blank` (RFC 9457 §4.2.1): the status says what kind of problem it is."""
    content = {
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "kind": kind,
        "problems": entries,
        **(extension or {}),
    }
    return Answer(status, (_PROBLEM_JSON, *SECURITY, *headers), json_answer(status, content).body)
