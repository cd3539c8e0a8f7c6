"""Before any page: the right host, no cross-site acts; after it: headers that keep a page what it is."""

from typing import Final
from urllib.parse import urlsplit

from appconnect.asgi import Answer, Application, Message, Receive, Scope, Send, send_answer
from appconnect.core.request import Pair

SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS"))

_POLICY: Final = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def content_security_policy(form_targets: tuple[str, ...] = ()) -> str:
    """Nothing inline, nothing from elsewhere; forms lead to us, and where the page says so to WordPress."""
    directives = {**_POLICY, "form-action": " ".join(("'self'", *form_targets))}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


_HEADERS: Final[tuple[Pair, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)


class Guard:
    """The console behind its checks. `public_url` is the one address under which it may be used."""

    def __init__(self, console: Application, public_url: str) -> None:
        self._console, self._public_url = console, public_url
        self._host = urlsplit(public_url).netloc

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        answer = self._problem(scope)
        if answer is not None:
            await send_answer(send, answer)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _completed(list(message["headers"]))
            await send(message)

        await self._console(scope, receive, guarded)

    def _problem(self, scope: Scope) -> Answer | None:
        headers = scope["headers"]
        hosts = [value.decode("latin-1").lower() for name, value in headers if name == b"host"]
        if hosts != [self._host]:
            # A name that an attacker lets point here (DNS rebinding) must not become an origin of ours.
            return _refusal(421, f"The console is at {self._public_url}/app-connect/ and answers to no other name.")
        if scope["method"] not in SAFE_METHODS and not self._is_from_here(headers):
            return _refusal(403, "This came from another site's page, or from a browser that does not say from where.")
        return None

    def _is_from_here(self, headers: list[Pair]) -> bool:
        """`Sec-Fetch-Site` where there is one (Fetch Metadata), else `Origin` (RFC 6454 §7); it must be ours."""
        sites = [value for name, value in headers if name == b"sec-fetch-site"]
        if sites:
            return sites == [b"same-origin"]
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        return origins == [self._public_url]


def _completed(headers: list[Pair]) -> list[Pair]:
    present = {name for name, _ in headers}
    added = [pair for pair in _HEADERS if pair[0] not in present]
    if b"cache-control" not in present:
        added.append((b"cache-control", b"no-store"))
    if b"content-security-policy" not in present:
        added.append((b"content-security-policy", content_security_policy().encode()))
    return [*headers, *added]


def _refusal(status: int, text: str) -> Answer:
    return Answer(status, ((b"content-type", b"text/plain; charset=utf-8"), *_completed([])), text.encode())
