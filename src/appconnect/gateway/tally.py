"""What one request with a token comes to: one allowed or one refused, whatever happens on its way."""

from dataclasses import dataclass

from appconnect.activity import Recorder
from appconnect.core.activity import FULL_ACCESS, Refusal
from appconnect.core.headers import Request
from appconnect.core.query import encode_query
from appconnect.core.rules import RouteRule
from appconnect.gateway.exchange import Exchange
from appconnect.gateway.refusals import RefusalAnswer


@dataclass(slots=True)
class Tally:
    """Filled in as the request goes its way, and recorded once at its end.

    `is_counted` is false for the site's visitors, of whom nothing is kept. `is_proven` says that a valid token has
    shown `client_id`, which is else what the request claims.
    """

    request: Request
    address: str
    is_counted: bool = False
    client_id: str | None = None
    is_proven: bool = False
    exchange: Exchange | None = None
    allowed_by: str | None = None
    refusal: RefusalAnswer | None = None

    def allow(self, rule: RouteRule | None) -> str:
        """The request goes on to WordPress by this rule, or by full access; the rule as text."""
        self.allowed_by = FULL_ACCESS if rule is None else str(rule)
        return self.allowed_by

    def record(self, recorder: Recorder, *, now: int) -> None:
        """Count it; one that its client gave up before a decision comes to nothing."""
        if self.refusal is not None and self.is_counted:
            recorder.refused(self._refused(self.refusal, now))
        elif self.refusal is None and self.allowed_by is not None and self.client_id is not None:
            recorder.allowed(self.client_id, self.allowed_by, now)

    def _refused(self, refusal: RefusalAnswer, now: int) -> Refusal:
        """The request by its one meaning where it has one; of a batch, the request inside that was refused."""
        method, path = self.request.method, self.request.raw_path.decode("latin-1")
        query = self.request.raw_query.decode("latin-1")
        if self.exchange is not None:
            canonical, batch = self.exchange.canonical, self.exchange.batch
            if refusal.part is not None and batch is not None:
                canonical = batch.parts[refusal.part - 1].request
            method, path, query = canonical.method, canonical.path, encode_query(canonical.query)
        rule = str(refusal.rule) if refusal.rule is not None else None
        return Refusal(now, self.client_id, refusal.code, method, path, query, rule, self.address, self.is_proven)
