"""The way back from WordPress's authorize-application page, with an application password in the query.

The answer sends the browser on to an address without it, so that it stays in no history; nothing here is logged.
"""

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from appconnect.asgi import Answer, Receive, Scope, Send, send_answer
from appconnect.control.context import Context
from appconnect.control.setup import APPROVAL_PATH, answer_approval
from appconnect.core.request import Pair
from appconnect.core.secret import Secret
from appconnect.core.snapshot import UpstreamCredential

DONE_PATH: Final = "/app-connect/approved"
_TEXTS: Final = {
    "yes": ("Approved", "App Connect has what it needs. Go back to the terminal where you began."),
    "no": ("Not approved", "Nothing was connected. Go back to the terminal where you began."),
    "unknown": (
        "Nobody is waiting for this",
        "Begin again with app-connect connect. If you have just approved, delete App Connect (…) in your profile.",
    ),
}
_PRIVATE: Final[tuple[Pair, ...]] = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
)


class Approved:
    """Takes the answer, then shows a page that says how it went."""

    def __init__(self, context: Callable[[], Context]) -> None:
        self._context = context

    def serves(self, path: str) -> bool:
        """Whether a path is one of these two."""
        return path == DONE_PATH or path.startswith(APPROVAL_PATH)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        del receive
        path, query = scope["path"], parse_qs(scope["query_string"].decode("latin-1"), encoding="utf-8")
        if scope["method"] not in ("GET", "HEAD"):
            await send_answer(send, Answer(405, (*_PRIVATE, (b"allow", b"GET, HEAD"))))
        elif path == DONE_PATH or scope["method"] == "HEAD":
            await send_answer(send, _page(query.get("result", ["unknown"])[0]))
        else:
            result = await asyncio.to_thread(self._take, path.removeprefix(APPROVAL_PATH), query)
            location = f"{DONE_PATH}?result={result}".encode()
            await send_answer(send, Answer(303, (*_PRIVATE, (b"location", location))))

    def _take(self, state: str, query: dict[str, list[str]]) -> str:
        login, password = query.get("user_login", [""])[0], query.get("password", [""])[0]
        credential = UpstreamCredential(login, Secret(password)) if login and password else None
        if credential is None and query.get("success") != ["false"]:
            return "unknown"  # neither a yes nor a no, such as a prefetch
        if not answer_approval(self._context(), state, credential):
            return "unknown"
        return "yes" if credential else "no"


def _page(result: str) -> Answer:
    title, text = _TEXTS.get(result, _TEXTS["unknown"])
    body = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title} - App Connect</title>'
        f'<meta name="viewport" content="width=device-width"><h1>{title}</h1><p>{text}</p></html>'
    )
    return Answer(200, ((b"content-type", b"text/html; charset=utf-8"), *_PRIVATE), body.encode())
