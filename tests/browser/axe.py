"""axe-core in a page: the rules of WCAG 2.2 A and AA, and its own best practices."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from playwright.sync_api import CDPSession, Page

from demo.wordpress.packages import AXE

_EVERYTHING: dict[str, Any] = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},  # WCAG 2.5.8; axe has it off by itself
}
_COLORS: dict[str, Any] = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


class Axe:
    """axe-core, ready in a page as it is now; gone with it when the page is left."""

    def __init__(self, session: CDPSession, world: int) -> None:
        self._session, self._world = session, world

    def violations(self, *, colors_only: bool = False) -> list[str]:
        """What it finds, a line for each. A second scheme changes colors only."""
        options = {**(_COLORS if colors_only else _EVERYTHING), "resultTypes": ["violations"]}
        found = self._evaluate(f"axe.run(document, {json.dumps(options)})")
        return [_line(violation) for violation in found["violations"]]

    def _evaluate(self, script: str) -> Any:
        answer = self._session.send(
            "Runtime.evaluate",
            {"expression": script, "contextId": self._world, "awaitPromise": True, "returnByValue": True},
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")


@contextmanager
def axe(page: Page) -> Iterator[Axe]:
    """Bring axe-core into the page.

    It runs in a world of its own, as the debugger's scripts do: the page's Content-Security-Policy stays as it is.
    """
    session = page.context.new_cdp_session(page)
    frame = session.send("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = session.send("Page.createIsolatedWorld", {"frameId": frame, "worldName": "axe"})["executionContextId"]
    session.send("Runtime.evaluate", {"expression": _source(), "contextId": world})
    yield Axe(session, world)
    session.detach()


@cache
def _source() -> str:
    return (AXE.folder / "axe.min.js").read_text("utf-8")


def _line(violation: dict[str, Any]) -> str:
    nodes = "; ".join(
        f"{node['html'][:160]} ({' '.join(check['message'] for check in [*node['any'], *node['all'], *node['none']])})"
        for node in violation["nodes"][:4]
    )
    return f"{violation['id']}: {violation['help']}: {nodes}"
