"""The protected resource as one ASGI application: receive → canonical → decide → forward → answer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, assert_never

from appconnect.activity import Recorder
from appconnect.asgi import DISCONNECT, BodyTooLarge, ClientGone, Receive, Scope, Send, peer_address, to_request
from appconnect.core.access import Access
from appconnect.core.body import MAX_READ_BYTES
from appconnect.core.canonical import canonicalize
from appconnect.core.decision import Allow, Decision, Deny, Reason
from appconnect.core.request import Refused
from appconnect.core.snapshot import SiteAddress, Snapshot, UpstreamCredential
from appconnect.core.tokens import InvalidToken
from appconnect.gateway import refusals
from appconnect.gateway.answer import Answering, client_headers, end_to_end, looks_anonymous
from appconnect.gateway.credentials import CredentialHealth
from appconnect.gateway.exchange import Exchange
from appconnect.gateway.forward import upstream_request
from appconnect.gateway.incoming import Incoming
from appconnect.gateway.receive import (
    Presented,
    check_host,
    claimed_client_id,
    has_token_in,
    is_form,
    presented,
)
from appconnect.gateway.refusals import RefusalAnswer
from appconnect.gateway.remembered import RememberedAccess
from appconnect.gateway.slots import NoSlot, Slots
from appconnect.gateway.tally import Tally
from appconnect.gateway.untokened import untouched_request
from appconnect.gateway.upstream_page import is_upstream_page, upstream_page
from appconnect.ports import Clock, Health, Upstream, UpstreamAnswer, UpstreamUnavailable
from appconnect.telemetry import Log, RequestLog

Untokened = Literal["reject", "pass"]


@dataclass(frozen=True, slots=True)
class Gateway:
    """Everything that a request meets; each reads the snapshot once."""

    current: Callable[[], Snapshot]
    upstream: Upstream
    clock: Clock
    remembered: RememberedAccess
    slots: Slots
    credentials: CredentialHealth
    recorder: Recorder
    untokened: Untokened
    log: Log
    request_log: RequestLog

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. A client that goes away takes its upstream request with it."""
        request = to_request(scope)
        incoming, tally = Incoming(receive, request.headers.content_length), Tally(request, peer_address(scope))
        if "extensions" in scope:
            scope["extensions"][DISCONNECT](incoming.leave)
        try:
            await self._answer(tally, incoming, Answering(send, request.method))
        except asyncio.CancelledError:
            if not incoming.is_gone:
                raise
        finally:
            tally.record(self.recorder, now=self.clock())

    async def _answer(self, tally: Tally, incoming: Incoming, answering: Answering) -> None:
        try:
            refusal = await self._pass_on(tally, incoming, answering)
        except Refused as error:
            refusal = refusals.refused(error)
        except BodyTooLarge:
            refusal = refusals.body_too_large(MAX_READ_BYTES)
        except ClientGone:
            return
        except UpstreamUnavailable as error:
            if incoming.is_gone:
                return
            self.log.warning("no answer from WordPress", failure=error.failure.value, detail=error.detail)
            if answering.has_begun:
                return  # too late for an error of our own: the server cuts the connection, so the client notices
            refusal = refusals.upstream_unavailable(error.failure)
        if refusal is not None:
            tally.refusal = refusal
            await answering.whole(refusal)

    async def _pass_on(self, tally: Tally, incoming: Incoming, answering: Answering) -> RefusalAnswer | None:
        """Forward the request and its answer, or say why not."""
        snapshot, request = self.current(), tally.request
        check_host(request)
        tally.is_counted = True  # a token that was sent twice is
        shown = presented(request, issuer=snapshot.issuer, takes_every_bearer=self.untokened == "reject")
        tally.is_counted = shown.is_something
        if snapshot.site is None:
            return refusals.not_connected()
        if shown.token is not None:
            return await self._with_token(tally, shown.token, snapshot, incoming, answering)
        if self.untokened == "reject" or shown.has_client_credentials or shown.has_token_elsewhere:
            return refusals.token_required(snapshot, shown)
        if is_form(request) and has_token_in(await incoming.peek(), issuer=snapshot.issuer):
            tally.is_counted = True
            return refusals.token_required(snapshot, Presented(has_token_elsewhere=True))
        answer = await self.upstream.send(snapshot.site, untouched_request(request, snapshot.site, incoming))
        # The HTTP server dates every answer itself.
        await answering.stream(answer, [pair for pair in end_to_end(answer.headers) if pair[0] != b"date"])
        return None

    async def _with_token(
        self, tally: Tally, token: str, snapshot: Snapshot, incoming: Incoming, answering: Answering
    ) -> RefusalAnswer | None:
        request, access = tally.request, self._open(token, snapshot)
        if isinstance(access, RefusalAnswer):
            claimed = claimed_client_id(token)
            tally.client_id = claimed if claimed in snapshot.clients else None
            return access
        client_id = tally.client_id = access.client.id
        tally.is_proven = True
        exchange = Exchange(canonicalize(request), incoming, answering)
        tally.exchange = exchange
        decision = exchange.decision(access, snapshot.templates)
        if isinstance(decision, Deny):
            self._log_denied(client_id, exchange, decision)
            return refusals.forbidden(decision, snapshot)
        is_at_once = self.slots.take(client_id)
        if not is_at_once:
            try:
                await self.slots.wait(client_id)
            except NoSlot:
                return refusals.too_many_requests(self.slots.max_wait_seconds)
        try:
            if is_at_once and isinstance(decision, Allow) and exchange.canonical.body is None:
                return await self._permitted(exchange, token, tally, snapshot, decision)  # nothing can have changed
            return await self._in_turn(exchange, token, tally)
        finally:
            self.slots.give_back(client_id)

    async def _in_turn(self, exchange: Exchange, token: str, tally: Tally) -> RefusalAnswer | None:
        """Decide by what counts now, and again where it has changed while the body arrived."""
        client_id = tally.client_id
        assert client_id is not None
        decision: Decision = Deny(Reason.NO_RULE)
        decided_by: Snapshot | None = None
        while True:
            snapshot = self.current()
            access = self._open(token, snapshot)
            if isinstance(access, RefusalAnswer):
                return access
            if snapshot is decided_by:
                break
            decision = await exchange.decided(access, snapshot.templates)
            if isinstance(decision, Deny):
                self._log_denied(client_id, exchange, decision)
                return refusals.forbidden(decision, snapshot)
            await exchange.refuse_second_credential()
            decided_by = snapshot
        assert isinstance(decision, Allow)
        return await self._permitted(exchange, token, tally, snapshot, decision)

    async def _permitted(
        self, exchange: Exchange, token: str, tally: Tally, snapshot: Snapshot, allow: Allow
    ) -> RefusalAnswer | None:
        client_id = tally.client_id
        assert client_id is not None
        rule = tally.allow(allow.rule) or "full access"
        self.request_log.info("allowed", rule=rule, **_what(client_id, exchange))
        if exchange.canonical.body is not None:
            exchange.watch(lambda: self._is_permitted(exchange, token))
        try:
            return await self._forward(exchange, client_id, snapshot)
        except UpstreamUnavailable:
            if exchange.is_withdrawn and not exchange.answering.has_begun:
                return refusals.invalid_token(snapshot)
            raise

    def _is_permitted(self, exchange: Exchange, token: str) -> bool:
        """Whether a request whose body is still arriving would be permitted now: a slow sender outlives no change."""
        snapshot = self.current()
        access = self._open(token, snapshot)
        return isinstance(access, Access) and isinstance(exchange.decision(access, snapshot.templates), Allow)

    def _open(self, token: str, snapshot: Snapshot) -> RefusalAnswer | Access:
        """What the token opens, or why it opens nothing."""
        if not snapshot.switches.is_api_enabled:
            return refusals.api_disabled()
        try:
            return self.remembered.open(token, snapshot, now=self.clock())
        except InvalidToken as error:
            self.log.info("invalid token", detail=error.detail)
            return refusals.invalid_token(snapshot)

    async def _forward(
        self, exchange: Exchange, client_id: str, snapshot: Snapshot, *, is_repeated: bool = False
    ) -> RefusalAnswer | None:
        site, credential = snapshot.site, snapshot.credentials.get(client_id)
        if site is None or credential is None or self.credentials.is_lost(client_id):
            return refusals.credential_lost()
        self.credentials.note_use(client_id)
        sent = upstream_request(
            exchange.canonical,
            site,
            credential,
            body=exchange.body(),
            content_length=exchange.content_length,
        )
        answer = await self.upstream.send(site, sent)
        if looks_anonymous(answer.status, answer.headers):
            try:
                health = await self._health_of(client_id, credential)
            except asyncio.CancelledError:
                await answer.close()
                raise
            match health:
                case Health.HEALTHY:
                    pass
                case Health.REPLACED:
                    await answer.close()
                    if exchange.is_safe and not is_repeated:
                        return await self._forward(exchange, client_id, self.current(), is_repeated=True)
                    return refusals.credential_replaced()
                case Health.LOST:
                    await answer.close()
                    return refusals.credential_lost()
                case Health.UNKNOWN:
                    await answer.close()
                    return refusals.credential_unchecked()
                case _:
                    assert_never(health)
        return await _pass_back(answer, exchange.answering, site, snapshot.public_url)

    async def _health_of(self, client_id: str, used: UpstreamCredential) -> Health:
        """Check the credential that a request was sent with, which another check may have replaced meanwhile."""
        health = await self.credentials.check_now(client_id)
        is_replaced = self.current().credentials.get(client_id) != used
        return Health.REPLACED if health is Health.HEALTHY and is_replaced else health

    def _log_denied(self, client_id: str, exchange: Exchange, denied: Deny) -> None:
        self.request_log.info("denied", reason=str(denied.reason), **_what(client_id, exchange))


async def _pass_back(
    answer: UpstreamAnswer, answering: Answering, site: SiteAddress, public_url: str
) -> RefusalAnswer | None:
    """Stream WordPress's answer; what stands for it where it is a page of something before WordPress."""
    headers = client_headers(answer.headers, site, public_url)
    if is_upstream_page(answer.status, answer.headers):
        await answer.close()
        return upstream_page(answer.status, headers)
    await answering.stream(answer, headers)
    return None


def _what(client_id: str, exchange: Exchange) -> dict[str, str | list[str]]:
    canonical = exchange.canonical
    what: dict[str, str | list[str]] = {"client_id": client_id, "method": str(canonical.method), "path": canonical.path}
    if exchange.batch is not None:
        what["parts"] = [f"{part.request.method} {part.request.path}" for part in exchange.batch.parts]
    return what
