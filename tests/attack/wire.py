"""Requests byte for byte over one connection, and whole answers back."""

import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; status 0 where the connection ended without one."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        """The code of an error in WordPress's format, or the error of RFC 6749."""
        try:
            content: Any = json.loads(self.body)
        except ValueError:
            return None
        return content.get("code") or content.get("error") if isinstance(content, dict) else None


NO_ANSWER = Answer(0, {}, b"")


class Wire:
    """A connection that is opened anew whenever the server has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._socket: socket.socket | None = None

    def ask(self, raw: bytes, method: str) -> Answer:
        """Send the bytes of one request, and read the first final answer to it."""
        for is_fresh in (self._socket is None, True):
            answer = self._once(raw, method)
            if answer is not None or is_fresh:  # else the server had closed an idle connection
                return answer or NO_ANSWER
        raise AssertionError

    def close(self) -> None:
        """Close the connection."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _once(self, raw: bytes, method: str) -> Answer | None:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, timeout=TIMEOUT_SECONDS)
        try:
            self._socket.sendall(raw)
            response = http.client.HTTPResponse(self._socket, method=method)
            response.begin()
            headers = {name.lower(): value for name, value in response.getheaders()}
            answer = Answer(response.status, headers, response.read())
            must_close = response.will_close
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        if must_close:
            self.close()
        return answer
