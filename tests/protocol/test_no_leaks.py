"""No secret is in an answer or in the log, whatever goes wrong: both are read by people who must not have it.

Everything is asked of a server that writes each line it can, before a WordPress that fails in every way it can; then
both are searched for each secret, in the spellings in which it could stand there.
"""

import base64
import logging
import re
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from appconnect import telemetry
from appconnect.core.clients import GrantType
from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteAddress, SiteSwitches
from tests.gateways import Gateway, initialize, serving
from tests.protocol.conftest import (
    ADMIN_PASSWORD,
    BACKEND,
    HANGING_UP,
    INTROSPECT,
    LOGGED_IN,
    POSTS,
    REVOKE,
    SITE_URL,
    STRANGER,
    TOKEN,
    Recorder,
    Reply,
    add,
    basic,
    head,
    reply,
    upstream_password,
)

COOKIE = "cookie-of-a-session-in-wordpress"
MISTYPED = "acs_a-right-one-but-for-a-letter"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GRANT = {"grant_type": "client_credentials"}


@dataclass
class Server:
    """The application behind its HTTP server, and all that it has said to clients."""

    gateway: Gateway
    http: httpx.AsyncClient
    answers: list[str] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    async def ask(self, method: str, path: str, **request: Any) -> httpx.Response | None:
        """Ask, and keep whatever is answered but the token that was asked for."""
        try:
            answer = await self.http.request(method, path, **request)
        except httpx.RemoteProtocolError:
            return None  # an answer that broke off
        said = re.sub(r'"access_token":"[^"]*"', "", answer.text)
        self.answers.append(f"{answer.status_code} {answer.headers.raw!r} {said}")
        return answer

    async def token(self) -> dict[str, str]:
        answer = await self.ask("POST", TOKEN, auth=BACKEND.basic, data=GRANT)
        assert answer is not None
        self.tokens.append(answer.json()["access_token"])
        return {"Authorization": f"Bearer {self.tokens[-1]}"}


@pytest.fixture
async def server(tmp_path: Path, upstream: Recorder) -> AsyncIterator[Server]:
    """A process of its own, as it is started for real, that writes every line."""
    gateway = initialize(tmp_path / "gateway", log_level="debug")
    with gateway.context.store.transaction() as transaction:
        transaction.save_site(SiteAddress(SITE_URL, upstream.url, has_pretty_permalinks=True))
        transaction.save_application_password(ADMIN_PASSWORD)
        transaction.save_switches(SiteSwitches(True, frozenset(GrantType), 3600))
        add(transaction, BACKEND)
        add(transaction, STRANGER)
    with serving(gateway):
        async with httpx.AsyncClient(base_url=gateway.url, trust_env=False) as http:
            yield Server(gateway, http)


def spellings(secret: str) -> set[str]:
    """As it is, percent-encoded in full, in hexadecimal, and inside base64 at each of its three offsets."""
    raw = secret.encode()
    inside = {base64.b64encode(b"\0" * by + raw)[-(-by * 8 // 6) :].rstrip(b"=")[:-1].decode() for by in range(3)}
    percent = "".join(f"%{byte:02X}" for byte in raw)
    return {secret, quote(secret, safe=""), percent, percent.lower(), raw.hex(), *inside}


def secrets_of(server: Server) -> dict[str, str]:
    keys = server.gateway.context.store.snapshot(now=0).key_ring.keys
    return {
        "the client secret": BACKEND.secret,
        "a client secret with a mistake in it": MISTYPED,
        "the service user's application password": upstream_password(BACKEND),
        "the administrator's application password": "adminpass",
        "the encryption key": server.gateway.settings.encryption_key.reveal(),
        "the signing key": str(keys[0].jwk.as_dict(private=True)["d"]),
        "a visitor's cookie": COOKIE,
        **{f"token {number}": token.rpartition(".")[2] for number, token in enumerate(server.tokens)},
    }


def found_in(text: str, secrets: dict[str, str]) -> list[str]:
    return [name for name, secret in secrets.items() if any(spelling in text for spelling in spellings(secret))]


# -- everything that may be asked -------------------------------------------------------------------------------------


async def ask_the_authorization_server(server: Server) -> None:
    mistyped = (BACKEND.id, MISTYPED)
    in_body = {"client_id": BACKEND.id, "client_secret": BACKEND.secret}
    await server.ask("POST", TOKEN, data={**GRANT, **in_body})
    await server.ask("POST", TOKEN, auth=BACKEND.basic, data={**GRANT, **in_body})
    await server.ask("POST", TOKEN, auth=mistyped, data=GRANT)
    await server.ask("POST", TOKEN, auth=(MISTYPED, BACKEND.id), data=GRANT)
    await server.ask("POST", TOKEN, data={**GRANT, **in_body, "client_secret": MISTYPED})
    await server.ask("POST", TOKEN, auth=BACKEND.basic, data={"grant_type": BACKEND.secret, "scope": MISTYPED})
    await server.ask("POST", TOKEN, auth=BACKEND.basic, data={**GRANT, "scope": BACKEND.secret})
    await server.ask("POST", TOKEN, auth=BACKEND.basic, data={**GRANT, "resource": BACKEND.secret})
    await server.ask("POST", TOKEN, headers=FORM, content=f"{BACKEND.secret}=1&{BACKEND.secret}=2")
    await server.ask("POST", TOKEN, params=in_body, data=GRANT)
    await server.ask("POST", TOKEN, json={**GRANT, **in_body})
    await server.ask("GET", TOKEN, params=in_body)
    bearer = await server.token()
    token = bearer["Authorization"].removeprefix("Bearer ")
    await server.ask("POST", INTROSPECT, auth=BACKEND.basic, data={"token": token})
    await server.ask("POST", INTROSPECT, auth=STRANGER.basic, data={"token": token})
    await server.ask("POST", INTROSPECT, headers=bearer, data={"token": token})
    await server.ask("POST", REVOKE, auth=STRANGER.basic, data={"token": token})
    await server.ask("POST", REVOKE, auth=BACKEND.basic, data={"token": token})


async def ask_the_gateway(server: Server) -> None:
    bearer = await server.token()
    token = bearer["Authorization"].removeprefix("Bearer ")
    with_cookie = {**bearer, "Cookie": f"wordpress_logged_in={COOKIE}"}
    await server.ask("GET", POSTS, headers=with_cookie)
    await server.ask("GET", POSTS, auth=BACKEND.basic)
    await server.ask("GET", POSTS, params={"access_token": token})
    await server.ask("GET", POSTS, headers=bearer, params={"access_token": token})
    await server.ask("POST", POSTS, headers=bearer, data={"access_token": token})
    await server.ask("GET", f"{POSTS}/{token}", headers=with_cookie)
    await server.ask("GET", f"/wp-json/{token}/..", headers=with_cookie)
    await server.ask("GET", POSTS, headers={"Authorization": f"Bearer {token[:-2]}"})
    await server.ask("GET", POSTS, headers={"Authorization": f"Bearer {token} {token}"})
    await server.ask("GET", POSTS, headers={"Authorization": f"Token {token}"})
    await server.ask("GET", POSTS, headers=[("Authorization", f"Bearer {token}")] * 2)
    await server.ask("DELETE", "/wp-json/wp/v2/settings", headers=with_cookie)
    await server.ask("GET", POSTS, headers=[*bearer.items(), (b"X-Name", b"\xff")])


def failures() -> dict[str, Reply]:
    """Answers that are none, which say the credential that they got wherever an error message could repeat it."""
    credential = basic("author", upstream_password(BACKEND))
    return {
        "hangs up": HANGING_UP,
        "no HTTP": Reply((f"{credential}\r\n\r\n".encode(),), closes=True),
        "a bad field": Reply((head("200 OK")[:-2] + f"Authorization: {credential}\0\r\n\r\n".encode(),), closes=True),
        "a bad name": Reply((head("200 OK")[:-2] + f"a b {credential}: c\r\n\r\n".encode(),), closes=True),
        "a bad status": Reply((f"HTTP/1.1 2x {credential}\r\n\r\n".encode(),), closes=True),
        "a bad length": Reply((head("200 OK", ("Content-Length", credential)),), closes=True),
        "a bad chunk": Reply(
            (head("200 OK", LOGGED_IN, ("Transfer-Encoding", "chunked")), f"{credential}\r\n".encode()), closes=True
        ),
        "half a body": Reply((head("200 OK", LOGGED_IN, ("Content-Length", "99")) + b"[",), closes=True),
        "a session": reply(b"[]", ("Set-Cookie", f"wordpress_logged_in={COOKIE}")),
        "a nonce": reply(b"[]", ("X-WP-Nonce", COOKIE)),
        "refused": reply(b"{}", status="401 Unauthorized", is_anonymous=True),
        "a visitor's answer": reply(b"[]", is_anonymous=True),
        "a page": Reply((head("500 Oops", ("Content-Type", "text/html")) + credential.encode(),), closes=True),
    }


async def test_no_answer_and_no_line_of_the_log_has_a_secret(server: Server, upstream: Recorder):
    await ask_the_authorization_server(server)
    await ask_the_gateway(server)
    for failure in failures().values():
        bearer = await server.token()
        for method in ("GET", "POST"):
            upstream.replies = [failure, failure]
            await server.ask(method, POSTS, headers=bearer)
    bearer = await server.token()
    upstream.wordpress.is_away = True
    await server.ask("GET", POSTS, headers=bearer)
    secrets = secrets_of(server)
    server.gateway.settings.database_path.unlink()
    token = bearer["Authorization"].removeprefix("Bearer ")
    answer = await server.ask("POST", REVOKE, auth=BACKEND.basic, data={"token": token})
    assert answer is not None
    assert answer.status_code == 503
    log = server.gateway.log()
    assert "no answer from WordPress" in log, "the log that is searched is the one that was written"
    assert '"refused"' in log
    assert len(server.answers) > 50
    assert [(answer, found) for answer in server.answers if (found := found_in(answer, secrets))] == []
    assert found_in(log, secrets) == []


# -- what we did not word ---------------------------------------------------------------------------------------------


def fail_over(text: str) -> None:
    raise ValueError(f"before {text} behind")


def line(text: str) -> None:
    telemetry.logger("test").error(f"before {text} behind", detail=[{"of": f"{text}, and more"}])


def traceback(text: str) -> None:
    try:
        fail_over(text)
    except ValueError:
        telemetry.logger("test").exception("failed")


def line_of_a_library(text: str) -> None:
    record = logging.LogRecord("library", logging.ERROR, "", 1, "before %s behind", (text,), None)
    sys.stderr.write(telemetry.HidingFormatter("%(message)s").format(record))


def traceback_of_a_library(text: str) -> None:
    try:
        fail_over(text)
    except ValueError:
        record = logging.LogRecord("library", logging.ERROR, "", 1, "failed", (), sys.exc_info())
    sys.stderr.write(telemetry.HidingFormatter("%(message)s").format(record))


@pytest.mark.parametrize("write", [line, traceback, line_of_a_library, traceback_of_a_library])
@pytest.mark.parametrize(
    ("text", "secret"),
    [
        pytest.param(basic("author", "abcd efgh ijkl"), basic("author", "abcd efgh ijkl")[6:], id="Basic"),
        pytest.param(f"b'{basic('author', 'abcd efgh ijkl')}'", basic("author", "abcd efgh")[6:20], id="as bytes"),
        pytest.param("basic YXV0aG9yOmFiY2Q=", "YXV0aG9y", id="basic in small letters"),
        pytest.param("Bearer abcdefgh.ijkl-mnop_qrst", "ijkl", id="Bearer"),
        pytest.param("eyJhbGciOiJFZDI1NTE5In0.eyJpc3MiOiJ4In0.c2lnbmF0dXJl", "c2ln", id="a JWT"),
        pytest.param("acs_0123456789abcdef", "0123456789", id="a client secret"),
        pytest.param("aca_0123456789abcdef", "0123456789", id="an administrator token"),
        pytest.param("/wp-json/?client_secret=acs_0123456789abcdef&a=b", "0123456789", id="in an address"),
    ],
)
def test_a_credential_in_somebody_elses_words_is_not_logged(
    write: Callable[[str], None], text: str, secret: str, capsys: pytest.CaptureFixture[str]
):
    """A server that answers nonsense repeats what it got; an exception may say whatever it was raised over."""
    telemetry.configure("debug")
    write(text)
    written = capsys.readouterr().err
    assert secret not in written
    assert telemetry.REDACTED in written
    assert "before" in written, "the rest of the line stays"
    assert "behind" in written


@pytest.mark.parametrize("name", ["authorization", "cookie", "password", "client_secret", "access_token"])
def test_a_value_with_the_name_of_a_secret_is_not_logged(name: str, capsys: pytest.CaptureFixture[str]):
    telemetry.configure("debug")
    telemetry.logger("test").info("said", **{name: "hidden-value"}, other="shown-value", held=Secret("hidden-value"))
    line = capsys.readouterr().err
    assert "hidden-value" not in line
    assert "shown-value" in line
