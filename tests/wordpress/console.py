"""A browser without scripts at the console: it fills in forms as they are, and presses buttons."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

import httpx

from appconnect.control import passwords, sessions
from tests.gateways import Gateway

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of the console's."""

    answer: httpx.Response

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def html(self) -> str:
        return self.answer.text

    @property
    def path(self) -> str:
        return self.answer.url.path

    @property
    def text(self) -> str:
        """What somebody reads: without markup, blanks as one."""
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", self.html)).split())

    @property
    def fields(self) -> Pairs:
        """What the page's forms would send now, without their buttons."""
        reader = _Fields()
        reader.feed(self.html)
        return reader.pairs

    def field(self, name: str) -> list[str]:
        return [value for other, value in self.fields if other == name]

    def error_at(self, control: str) -> str:
        """The mistake that stands at a control; the summary must lead there too."""
        assert f'href="#{control}"' in self.html, self.text
        found = re.search(rf'<div class="field-error" id="{control}-error">(.*?)</div>', self.html, re.DOTALL)
        assert found is not None, self.text
        return " ".join(unescape(re.sub(r"<[^>]*>", " ", found[1])).split())

    @property
    def client_ids(self) -> tuple[str, str]:
        """Client ID and Client Secret of the page that shows them once."""
        found = re.search(r'id="client-id">(ac_\w+)<.*id="client-secret">(acs_\w+)<', self.html, re.DOTALL)
        assert found is not None, self.text
        return found[1], found[2]


class _Fields(HTMLParser):
    """Reads the controls of forms as a browser does for those that a script has not touched."""

    def __init__(self) -> None:
        super().__init__()
        self.pairs: Pairs = []
        self._select = self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        kind = has.get("type", "text")
        if tag == "select":
            self._select = has.get("name", "")
        elif tag == "textarea":
            self._area = has.get("name", "")
            self.pairs.append((self._area, ""))
        elif tag == "option" and "selected" in has and self._select:
            self.pairs.append((self._select, has["value"]))
        elif tag == "input" and "disabled" not in has and (kind not in ("checkbox", "radio") or "checked" in has):
            self.pairs.append((has["name"], has.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._area:
            before = self.pairs[-1][1]
            self.pairs[-1] = (self._area, before + (data if before else data.removeprefix("\n")))

    def handle_endtag(self, tag: str) -> None:
        self._select = "" if tag == "select" else self._select
        self._area = "" if tag == "textarea" else self._area


@dataclass(frozen=True, slots=True)
class Console:
    """A signed-in administrator's browser."""

    http: httpx.Client

    def open(self, path: str) -> Page:
        return Page(self.http.get(f"/app-connect{path}", follow_redirects=True))

    def press(self, page: Page, button: str, value: str = "1", /, **typed: str | list[str]) -> Page:
        """Send the form of a page with what is typed instead of what stands in it, by one of its buttons."""
        kept = [pair for pair in page.fields if pair[0] not in typed]
        pairs = [*kept, *_flat(typed), (button, value)]
        return self.post(page.path, pairs)

    def post(self, path: str, pairs: Pairs, **headers: str) -> Page:
        sent = urlencode(pairs)
        form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin", **headers}
        return Page(self.http.post(path, content=sent, headers=form, follow_redirects=True))


def _flat(typed: dict[str, str | list[str]]) -> Iterator[tuple[str, str]]:
    for name, values in typed.items():
        yield from ((name, value) for value in ([values] if isinstance(values, str) else values))


def signed_in_console(gateway: Gateway, http: httpx.Client) -> Console:
    """A session of the administrator who connected the site."""
    to = passwords.connection(gateway.context)
    begun = sessions.begin(gateway.context, to.site.current_user(to.administrator.credential), browser="test")
    http.cookies.set("app-connect-session", begun.token, path="/app-connect")
    return Console(http)
