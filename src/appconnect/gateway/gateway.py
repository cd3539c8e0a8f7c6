"""The protected resource as one ASGI application: receive → canonical → decide → forward → answer."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, assert_never

from appconnect.activity import Recorder
from appconnect.asgi import BodyTooLarge, ClientGone, Receive, Scope, Send, peer_address, to_request
from appconnect.core.access import Access
from appconnect.core.body import MAX_READ_BYTES
from appconnect.core.canonical import canonicalize
from appconnect.core.decision import Allow, Deny
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
    claimed_client_id,
    content_length,
    has_token_in,
    host_problem,
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
from appconnect.telemetry import logger

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. A client that goes away takes its upstream request with it."""
        request, answering = to_request(scope), Answering(send)
        incoming, tally = Incoming(receive, content_length(request)), Tally(request, peer_address(scope))
        work = asyncio.ensure_future(self._answer(tally, incoming, answering))
        gone = asyncio.ensure_future(incoming.gone())
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
            if not work.done():
                work.cancel()
            await asyncio.gather(work, gone, return_exceptions=True)
            tally.record(self.recorder, now=self.clock())
        if not work.cancelled() and (error := work.exception()) is not None:
            raise error

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
            logger("gateway").warning("no answer from WordPress", failure=error.failure.value, detail=error.detail)
            if answering.has_begun:
                return  # too late for an error of our own: the server cuts the connection, so the client notices
            refusal = refusals.upstream_unavailable(error.failure)
        if refusal is not None:
            tally.refusal = refusal
            await answering.whole(refusal)

    async def _pass_on(self, tally: Tally, incoming: Incoming, answering: Answering) -> RefusalAnswer | None:
        """Forward the request and its answer, or say why not."""
        snapshot, request = self.current(), tally.request
        if (problem := host_problem(request)) is not None:
            raise problem
        tally.is_counted = True  # a token that was sent twice is
        shown = presented(request, issuer=snapshot.issuer, takes_every_bearer=self.untokened == "reject")
        tally.is_counted = shown != Presented()
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
        exchange = Exchange(canonicalize(request), content_length(request), incoming, answering)
        tally.exchange = exchange
        if isinstance(denied := exchange.decision(access, snapshot.templates), Deny):
            _log_denied(client_id, exchange, denied)
            return refusals.forbidden(denied, snapshot)
        try:
            async with self.slots.slot(client_id):
                return await self._in_turn(exchange, client_id, token, tally)
        except NoSlot:
            return refusals.too_many_requests(self.slots.max_wait_seconds)

    async def _in_turn(self, exchange: Exchange, client_id: str, token: str, tally: Tally) -> RefusalAnswer | None:
        """Decide by what counts now, and again where it has changed while the request waited or its body arrived."""
        snapshot: Snapshot | None = None
        while (latest := self.current()) is not snapshot:
            snapshot = latest
            access = self._open(token, snapshot)
            if isinstance(access, RefusalAnswer):
                return access
            decision = await exchange.decided(access, snapshot.templates)
            if isinstance(decision, Deny):
                _log_denied(client_id, exchange, decision)
                return refusals.forbidden(decision, snapshot)
            await exchange.refuse_second_credential()
            rule = decision.rule
        _log_allowed(client_id, exchange, tally.allow(rule))
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
            logger("gateway").info("invalid token", detail=error.detail)
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


def _log_denied(client_id: str, exchange: Exchange, denied: Deny) -> None:
    logger("gateway").info("denied", reason=denied.reason.value, **_what(client_id, exchange))


def _log_allowed(client_id: str, exchange: Exchange, rule: str) -> None:
    logger("gateway").info("allowed", rule=rule or "full access", **_what(client_id, exchange))


def _what(client_id: str, exchange: Exchange) -> dict[str, Any]:
    canonical = exchange.canonical
    what: dict[str, Any] = {"client_id": client_id, "method": canonical.method.value, "path": canonical.path}
    if exchange.batch is not None:
        what["parts"] = [f"{part.request.method} {part.request.path}" for part in exchange.batch.parts]
    return what
