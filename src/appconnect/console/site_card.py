"""The connected site as pages show it, asked for at most once in a while: strangers must not make WordPress work."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Final
from urllib.parse import urlsplit

from appconnect.control.context import Context
from appconnect.core.snapshot import SiteAddress
from appconnect.ports import SiteDescription, UpstreamError

KNOWN_SECONDS: Final = 600.0
FAILED_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class SiteCard:
    """Name and address of the site. `description` is None, and `trouble` says why, where it does not answer."""

    url: str | None = None
    name: str = ""
    description: SiteDescription | None = None
    trouble: UpstreamError | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and port of WordPress's approval page."""
        address = self.description.authorize_url if self.description else None
        parts = urlsplit(address or self.url or "")
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


class SiteCards:
    """The card of the site that is connected now; one question to WordPress at a time, for which one page waits."""

    def __init__(self, context: Callable[[], Context], monotonic: Callable[[], float]) -> None:
        self._context, self._monotonic, self._asking = context, monotonic, Lock()
        self._known: tuple[SiteAddress | None, float, SiteCard] = (None, 0.0, SiteCard())

    def card(self, address: SiteAddress | None) -> SiteCard:
        """The card; asks WordPress where what is known is old or of another site."""
        if address is None:
            return SiteCard()
        known, until, card = self._known
        if known == address and self._monotonic() < until:
            return card
        if not self._asking.acquire(blocking=False):  # another page asks: what was known will do
            return card if known == address else _bare(address)
        try:
            card = self._ask(address)
            until = self._monotonic() + (FAILED_SECONDS if card.trouble else KNOWN_SECONDS)
            self._known = (address, until, card)
        finally:
            self._asking.release()
        return card

    def _ask(self, address: SiteAddress) -> SiteCard:
        try:
            description = self._context().site_at(address).describe()
        except UpstreamError as error:
            return _bare(address, error)
        return SiteCard(address.url, description.name or _bare(address).name, description)


def _bare(address: SiteAddress, trouble: UpstreamError | None = None) -> SiteCard:
    return SiteCard(address.url, urlsplit(address.url).netloc, trouble=trouble)
