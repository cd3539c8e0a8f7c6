"""A gateway elsewhere, asked over its admin API. The token goes to that address alone: nothing is followed."""

import json
import ssl
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from appconnect.control.context import InputError, InputProblem
from appconnect.control.operations.operation import Operation, from_json, to_json
from appconnect.ports import SiteProblem, UpstreamError
from appconnect.settings import RemoteGateway
from appconnect.site.tls import tls_context

ROOT: Final = "/app-connect/api/v1"
TIMEOUT: Final = urllib3.Timeout(connect=10.0, read=300.0)
"""The gateway may have to ask WordPress about every client."""
MAX_ANSWER_BYTES: Final = 64 * 1024 * 1024
_Given = TypeVar("_Given")
_Result = TypeVar("_Result")


def perform(gateway: RemoteGateway, operation: Operation[_Given, _Result], given: _Given) -> _Result:
    """Have the gateway do it; `InputError` and `UpstreamError` are those that it met, word for word."""
    content = {name: value for name, value in to_json(given).items() if value is not None}
    path = operation.path
    for name in operation.places:
        path = path.replace(f"{{{name}}}", _segment(content.pop(name)))
    if operation.method == "GET":
        answer = _exchange(gateway, operation.method, f"{path}?{urlencode(content)}" if content else path, None)
    else:
        answer = _exchange(gateway, operation.method, path, content)
    if not answer.is_done:
        raise _told(gateway, answer)
    try:
        return from_json(operation.gives, answer.content)
    except InputError as error:
        raise _not_understood(gateway, "its answer is of another version") from error


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    content: Any

    @property
    def is_done(self) -> bool:
        return 200 <= self.status < 300 and isinstance(self.content, dict)


def _segment(text: str) -> str:
    """A segment that no server on the way takes for a step through the path."""
    return quote(text, safe="").replace(".", "%2E")


def _exchange(gateway: RemoteGateway, method: str, path: str, content: dict[str, Any] | None) -> _Answer:
    headers = {
        "Authorization": f"Bearer {gateway.token.reveal()}",
        "Accept": "application/json",
        "User-Agent": "App-Connect",
        "Connection": "close",
    }
    if content is not None:
        headers["Content-Type"] = "application/json"
    body = None if content is None else json.dumps(content).encode()
    try:
        with (
            _pool(gateway) as pool,
            pool.urlopen(
                method, ROOT + path, body, headers, retries=False, redirect=False, preload_content=False
            ) as response,
        ):
            raw = response.read(MAX_ANSWER_BYTES)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _unreachable(gateway, error) from None
    if 300 <= response.status < 400:
        raise _not_understood(gateway, "it sends us elsewhere, where the token is not for")
    try:
        return _Answer(response.status, json.loads(raw))
    except (ValueError, RecursionError):
        return _Answer(response.status, None)


def _pool(gateway: RemoteGateway) -> urllib3.HTTPConnectionPool:
    parts = urlsplit(gateway.url)
    host = parts.hostname or ""
    if parts.scheme == "http":  # loopback, as `settings` has made sure
        return urllib3.HTTPConnectionPool(host, parts.port, timeout=TIMEOUT)
    return urllib3.HTTPSConnectionPool(host, parts.port, timeout=TIMEOUT, ssl_context=_trust(gateway))


def _trust(gateway: RemoteGateway) -> ssl.SSLContext:
    try:
        return tls_context(gateway.ca_file)
    except OSError as error:  # ssl.SSLError is one
        text = f"{gateway.ca_file} cannot be used: {error}."
        raise InputError.of("--ca-file", text, "Name a PEM file with a certificate authority.") from None


def _told(gateway: RemoteGateway, answer: _Answer) -> Exception:
    """What the gateway says, as the exception that it was there."""
    content = answer.content if isinstance(answer.content, dict) else {}
    try:
        problems = [InputProblem(one["field"], one["problem"], one["remedy"]) for one in content["problems"]]
        if content["kind"] == "wordpress":
            return UpstreamError(SiteProblem(problems[0].field), problems[0].problem, problems[0].remedy)
    except (KeyError, TypeError, IndexError, ValueError):
        return _not_understood(gateway, f"it answers {answer.status} as App Connect does not")
    return InputError(problems)


def _unreachable(gateway: RemoteGateway, error: Exception) -> InputError:
    reason = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) else error
    if isinstance(reason, urllib3.exceptions.SSLError | ssl.SSLError):
        remedy = "Where its certificate authority is a private one, name it with --ca-file."
        return InputError.of("--gateway", f"The certificate of {gateway.url} is not trusted.", remedy)
    text = f"{gateway.url} does not answer."
    return InputError.of("--gateway", text, "See whether the gateway runs there, and whether this machine reaches it.")


def _not_understood(gateway: RemoteGateway, why: str) -> InputError:
    text = f"{gateway.url} is not understood: {why}."
    return InputError.of("--gateway", text, "Name the gateway's own address, and use the same version here and there.")
