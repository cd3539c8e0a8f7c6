"""One exchange with a WordPress REST API over urllib3: nothing is followed, repeated, remembered or unbounded."""

import base64
import html
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import urllib3
from urllib3.util import Url, parse_url

from appconnect.core.snapshot import SiteAddress, UpstreamCredential
from appconnect.site import problems
from appconnect.site.tls import tls_context

CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 30.0

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""The index lists every route with its arguments: 0.2 MB on a bare site, a few MB with many plugins."""

MAX_MESSAGE_CHARACTERS = 300
"""How much of the site's words goes into ours."""

_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: `content` is the JSON, where it is JSON; `url` is the site's own address of it, for people."""

    method: str
    url: str
    status: int
    location: str | None
    content: Any
    is_json: bool
    asks_for_login: bool
    allow: str | None = None
    """The methods that `rest_send_allow_header` names."""

    @property
    def what(self) -> str:
        """The request, as a subject of a sentence."""
        return f"{self.method} {self.url}"

    @property
    def error_code(self) -> str | None:
        """WordPress's error code, where this is an error in WordPress's format."""
        code = self.content.get("code") if isinstance(self.content, dict) and self.status >= 400 else None
        return plain(code) or None if isinstance(code, str) else None

    @property
    def error_message(self) -> str:
        """WordPress's words for its error, as plain text."""
        message = self.content.get("message") if isinstance(self.content, dict) else None
        return plain(message) if isinstance(message, str) else ""


class RestRoot:
    """The REST API at one address. `UpstreamError` where no answer comes; any answer is returned."""

    def __init__(
        self,
        address: SiteAddress,
        ca_file: Path | None,
        *,
        connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
    ) -> None:
        self.address = address
        self._timeout = urllib3.Timeout(connect=connect_timeout_seconds, read=read_timeout_seconds)
        self._upstream = parse_url(address.upstream_url)
        self._trust = _trust(ca_file) if self._upstream.scheme == "https" else None

    def ask(
        self,
        method: str,
        route: str,
        *,
        query: Mapping[str, str | int] | None = None,
        credential: UpstreamCredential | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Ask for a route (`/wp/v2/users/me`), as the credential's user or as nobody."""
        parameters = urlencode(query or {})
        if self.address.has_pretty_permalinks:
            tail = f"/wp-json{quote(route)}" + (f"?{parameters}" if parameters else "")
        else:
            # Never `/?rest_route=`: nginx answers 405 itself to PUT there.
            tail = f"/index.php?rest_route={quote(route)}" + (f"&{parameters}" if parameters else "")
        return self._exchange(method, tail, credential, body)

    def open_page(self, path: str) -> Answer:
        """Ask for a page below the site's address as a browser without cookies would, for the way it answers."""
        return self._exchange("GET", path, None, None)

    def _exchange(
        self, method: str, tail: str, credential: UpstreamCredential | None, body: Mapping[str, Any] | None
    ) -> Answer:
        target = urlsplit(self.address.url).path + tail
        headers = self._headers(credential)
        payload = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            payload = json.dumps(body).encode()
        try:
            with (
                self._pool() as pool,
                pool.urlopen(
                    method, target, payload, headers, retries=False, redirect=False, preload_content=False
                ) as response,
            ):
                content = response.read(MAX_ANSWER_BYTES + 1)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            # `from None`: the sentence says what is known, and the library's own error names hosts, not reasons.
            raise problems.of_transport(self.address, error) from None
        url = self.address.url + tail
        if len(content) > MAX_ANSWER_BYTES:
            raise problems.too_large(f"{method} {url}", MAX_ANSWER_BYTES)
        return _answer(method, url, response, content)

    def _pool(self) -> urllib3.HTTPConnectionPool:
        """A pool for one exchange: the control plane asks seldom, and a connection kept may have died meanwhile."""
        host, port = self._upstream.host or "", self._upstream.port
        if self._trust is None:
            return urllib3.HTTPConnectionPool(host, port, timeout=self._timeout)
        return urllib3.HTTPSConnectionPool(
            host,
            port,
            timeout=self._timeout,
            ssl_context=self._trust,
            server_hostname=urlsplit(self.address.url).hostname,
        )

    def _headers(self, credential: UpstreamCredential | None) -> dict[str, str]:
        own = urlsplit(self.address.url)
        headers = {
            "Host": own.netloc,
            "Accept": "application/json",
            "User-Agent": "App-Connect",
            "Connection": "close",
        }
        if own.scheme == "https" and self._trust is None:
            headers["X-Forwarded-Proto"] = "https"
        if credential is not None:
            # RFC 7617 §2: user-id, colon, password, in base64.
            pair = f"{credential.login}:{credential.password.reveal()}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return headers


def _answer(method: str, url: str, response: urllib3.BaseHTTPResponse, body: bytes) -> Answer:
    try:
        content, is_json = json.loads(body), True
    except (ValueError, RecursionError):
        content, is_json = None, False
    location = response.headers.get("Location")
    return Answer(
        method,
        url,
        response.status,
        printable(urljoin(url, location)) if location else None,
        content,
        is_json,
        asks_for_login=response.headers.get("WWW-Authenticate", "").lower().startswith("basic"),
        allow=response.headers.get("Allow"),
    )


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return tls_context(ca_file)
    except OSError as error:  # ssl.SSLError is one
        assert ca_file is not None
        raise problems.unusable_ca_file(ca_file, error) from None


def plain(text: str) -> str:
    """A site's words as one line without markup, for a terminal or a page."""
    return printable(" ".join(html.unescape(_TAG.sub("", text)).split()))[:MAX_MESSAGE_CHARACTERS]


def printable(text: str) -> str:
    """The text without the characters that act on a terminal instead of showing."""
    return "".join(character for character in text if character.isprintable())


def normal_address(url: str) -> str:
    """An address as it is compared and kept: host in ASCII and small letters, no default port, no trailing slash."""
    try:
        parts = parse_url(url)
    except urllib3.exceptions.LocationParseError:
        return url
    default_port = {"http": 80, "https": 443}.get(parts.scheme or "")
    port = None if parts.port == default_port else parts.port
    return Url(parts.scheme, None, parts.host, port, (parts.path or "").rstrip("/") or None).url
