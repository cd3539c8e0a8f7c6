"""The endpoints as one ASGI application: which path, which method, then the steps of its own file."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPMethod
from typing import Final

from appconnect.activity import Recorder
from appconnect.asgi import (
    NO_STORE,
    Answer,
    BodyTooLarge,
    ClientGone,
    Receive,
    Scope,
    Send,
    json_answer,
    peer_address,
    read_body,
    send_answer,
    to_request,
)
from appconnect.core.activity import Refusal
from appconnect.core.audit import AuditEvent, AuditEventType
from appconnect.core.clients import Client
from appconnect.core.snapshot import Snapshot
from appconnect.oauth import metadata
from appconnect.oauth.client_authentication import authenticate_client, presented_credentials
from appconnect.oauth.errors import ErrorCode, OAuthError, too_many_failures
from appconnect.oauth.form import MAX_FORM_BYTES, check_content_type, check_query, parse_form
from appconnect.oauth.introspection import introspection_answer
from appconnect.oauth.revocation import token_to_revoke
from appconnect.oauth.token import token_answer
from appconnect.ports import Clock, Store
from appconnect.telemetry import logger
from appconnect.throttle import Throttle, TooManyFailures

POSTED: Final = (metadata.TOKEN, metadata.REVOKE, metadata.INTROSPECT)


@dataclass(slots=True)
class _Caller:
    """The client that a request says it is from, if there is one; `is_proven` once its secret was right."""

    client_id: str | None = None
    is_proven: bool = False


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The authorization server over the current snapshot; only revoking touches the store."""

    current: Callable[[], Snapshot]
    catch_up: Callable[[], Awaitable[None]]
    store: Store
    clock: Clock
    new_token_id: Callable[[], str]
    throttle: Throttle
    recorder: Recorder

    def serves(self, path: str) -> bool:
        """Whether a path is one of ours."""
        return path in POSTED or path in metadata.DOCUMENTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        snapshot, path, method = self.current(), scope["path"].removesuffix("/"), scope["method"]
        if path in metadata.DOCUMENTS:
            answer = self._document(path, method, snapshot)
        elif method != HTTPMethod.POST:
            answer = _method_not_allowed("POST")
        else:
            caller = _Caller()
            try:
                answer = await self._posted(path, scope, receive, snapshot, caller)
            except OAuthError as error:
                logger("oauth").info("refused", endpoint=path, error=error.code.value, detail=error.detail)
                self._record_refused(error, path, scope, caller)
                answer = error.answer()
            except ClientGone:
                return
        await send_answer(send, answer)

    def _document(self, path: str, method: str, snapshot: Snapshot) -> Answer:
        if method not in (HTTPMethod.GET, HTTPMethod.HEAD):
            return _method_not_allowed("GET, HEAD")
        content = metadata.DOCUMENTS[path](snapshot, now=self.clock())
        return json_answer(
            200, content, (b"cache-control", b"public, max-age=300"), (b"access-control-allow-origin", b"*")
        )

    async def _posted(self, path: str, scope: Scope, receive: Receive, snapshot: Snapshot, caller: _Caller) -> Answer:
        request, now = to_request(scope), self.clock()
        if not snapshot.switches.is_api_enabled:
            raise OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, "The API is switched off on this site.")
        check_query(request)
        check_content_type(request)
        try:
            parameters = parse_form(await read_body(receive, max_bytes=MAX_FORM_BYTES))
        except BodyTooLarge as error:
            raise OAuthError(ErrorCode.INVALID_REQUEST, f"The body is longer than {MAX_FORM_BYTES} bytes.") from error
        credentials = presented_credentials(request, parameters)
        caller.client_id = credentials[0] if credentials[0] in snapshot.clients else None
        try:
            client, secret = authenticate_client(credentials, snapshot, now=now)
        except OAuthError as error:
            try:
                await self.throttle.after_failure(credentials[0], peer_address(scope))
            except TooManyFailures:
                raise too_many_failures(error.detail) from error
            raise
        caller.is_proven = True
        self.recorder.authenticated(client.id, secret.sha256, now)
        return await self._authenticated(path, client, parameters, snapshot, now)

    async def _authenticated(
        self, path: str, client: Client, parameters: Mapping[str, str], snapshot: Snapshot, now: int
    ) -> Answer:
        if path == metadata.TOKEN:
            answer = token_answer(client, parameters, snapshot, now=now, token_id=self.new_token_id())
            self.recorder.token_issued(client.id, now)
            return answer
        if path == metadata.INTROSPECT:
            return introspection_answer(client, parameters, snapshot, now=now)
        claims = token_to_revoke(client, parameters, snapshot, now=now)
        if claims is not None:
            await self._revoke(claims.token_id, claims.expires_at, client, now)
        return json_answer(200, {}, NO_STORE)  # RFC 7009 §2.2: ignored, but some clients insist on JSON

    async def _revoke(self, token_id: str, expires_at: int, client: Client, now: int) -> None:
        def write() -> None:
            with self.store.transaction() as transaction:
                transaction.revoke_token(token_id, expires_at=expires_at, now=now)
                event = AuditEvent(AuditEventType.TOKEN_REVOKED, now, f"client {client.id}", token_id, "")
                transaction.record(event)

        try:
            await asyncio.to_thread(write)
        except Exception as error:
            description = "The token could not be revoked now. Try again."
            raise OAuthError(ErrorCode.TEMPORARILY_UNAVAILABLE, description, detail=str(error)) from error
        await self.catch_up()

    def _record_refused(self, error: OAuthError, path: str, scope: Scope, caller: _Caller) -> None:
        query, address = scope["query_string"].decode("latin-1"), peer_address(scope)
        self.recorder.refused(
            Refusal(
                at=self.clock(),
                client_id=caller.client_id,
                code=error.code.value,
                method=scope["method"],
                path=path,
                query=query,
                rule=None,
                address=address,
                is_proven=caller.is_proven,
            )
        )


def _method_not_allowed(allowed: str) -> Answer:
    content = {"error": "invalid_request", "error_description": f"This endpoint takes {allowed}."}
    return json_answer(405, content, NO_STORE, (b"allow", allowed.encode()))
