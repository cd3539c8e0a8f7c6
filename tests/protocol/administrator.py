"""An administrator at the console, without a browser: pages as text, forms as their fields."""

import html
import re
from dataclasses import dataclass
from typing import Final

import httpx

from appconnect.control import sessions
from appconnect.ports import WordPressUser
from tests.protocol.conftest import Running

CONSOLE: Final = "/app-connect"
COOKIE: Final = "__Secure-app-connect-session"
ADMIN: Final = WordPressUser(1, "admin", "", "", frozenset(("administrator",)), frozenset(("manage_options",)))
FIREFOX: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"


@dataclass(frozen=True)
class Administrator:
    """Somebody who is signed in."""

    http: httpx.AsyncClient
    begun: sessions.Begun

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.begun.token}"}

    async def sees(self, path: str, **headers: str) -> httpx.Response:
        """A page."""
        return await self.http.get(CONSOLE + path, headers={**self.cookie, **headers})

    async def sends(self, path: str, **form: str | list[str]) -> httpx.Response:
        """What a form answers."""
        headers = {**self.cookie, "Sec-Fetch-Site": "same-origin"}
        return await self.http.post(CONSOLE + path, data=form, headers=headers)

    async def does(self, path: str, **form: str | list[str]) -> httpx.Response:
        """The page that follows an act which is done."""
        answer = await self.sends(path, **form)
        assert answer.status_code == 303, words(answer)
        return await self.http.get(answer.headers["location"], headers=self.cookie)


def signing_in(gateway: Running, browser: str = FIREFOX) -> Administrator:
    return Administrator(gateway.http, sessions.begin(gateway.context, ADMIN, browser=browser))


def words(answer: httpx.Response) -> str:
    """The page as somebody reads it: without markup, with single blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())


def value(answer: httpx.Response, name: str) -> str:
    """What stands in a field."""
    found = re.search(rf'<input[^>]* name="{name}" value="([^"]*)"', answer.text)
    assert found, f"there is no field {name}"
    return html.unescape(found[1])


def is_checked(answer: httpx.Response, name: str, choice: str) -> bool:
    return f'name="{name}" value="{choice}" checked' in answer.text
