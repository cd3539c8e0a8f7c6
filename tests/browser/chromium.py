"""Debian's Chromium for tests, and a watch over everything that goes wrong in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Request, Response, WebError, sync_playwright

from demo.wordpress.debian import browser_program

LOOPBACK = "127.0.0.1"
ACTION_SECONDS = 15.0
"""How long a control may take to appear; generous, because two browsers and WordPress share two cores."""

_ARGUMENTS = (
    "--no-sandbox",  # CI runs as root in a container
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {LOOPBACK}",  # nothing leaves this machine
)
_HARMLESS = (
    "net::ERR_ABORTED",  # the page was left, or the answer became a download, before all of it was there
    "csp",  # said in the console as well, but where JavaScript is off: then every script of a module "fails" so
)
_BAD_STATUS = "Failed to load resource: the server responded with a status"
"""Chromium's word for each answer of 400 and above; `Watch` judges those by itself."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium.

    Playwright's synchronous interface keeps an event loop running in this thread until the block ends; asynchronous
    tests cannot run inside it.

    Raises:
        PackagesMissing: Chromium is not installed; `make test` does that.

    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_program(), args=_ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Watch:
    """Collects what a careful person would see in the browser's console and network panel."""

    problems: list[str] = field(default_factory=list)

    def over(self, context: BrowserContext) -> None:
        """Watch every page of `context` from now on."""
        context.on("console", self._on_message)
        context.on("weberror", self._on_error)
        context.on("request", self._on_request)
        context.on("requestfailed", self._on_failed_request)
        context.on("response", self._on_response)

    def clear(self) -> None:
        """Forget what was seen; for a test that proves that it is seen."""
        self.problems.clear()

    def _on_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning", "assert") and not message.text.startswith(_BAD_STATUS):
            self._see("console", message.type, message.text, message.page)

    def _on_error(self, error: WebError) -> None:
        self._see("uncaught", error.error, "in", error.page)

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme in ("http", "https") and address.hostname != LOOPBACK:
            self._see("request to another host", request.url)

    def _on_failed_request(self, request: Request) -> None:
        if request.failure not in _HARMLESS:
            self._see("failed request", request.url, request.failure)

    def _on_response(self, response: Response) -> None:
        """A page may explain a refusal; what belongs to a page has no reason to be missing."""
        is_page = response.request.resource_type in ("document", "fetch", "xhr")
        if response.status >= (500 if is_page else 400):
            self._see("answer", response.status, response.url)

    def _see(self, *words: Any) -> None:
        self.problems.append(" ".join(getattr(word, "url", str(word)) for word in words if word is not None))
