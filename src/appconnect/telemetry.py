"""Log lines: JSON on standard error, with anything secret left out."""

import asyncio
import atexit
import json
import logging
import re
import sys
import threading
import time
from collections.abc import Mapping, MutableMapping
from typing import Any, Final

import structlog

from appconnect.core.secret import Secret

REDACTED = "[redacted]"
WAIT_SECONDS: Final = 0.05
_SECRET_NAMES = frozenset(("authorization", "cookie", "password", "secret", "client_secret", "access_token", "token"))

_CREDENTIALS = re.compile(
    r"[Bb](?:asic|earer) +[\w.~+/=-]{12,}"  # RFC 7617, RFC 6750
    r"|eyJ[\w-]{8,}[\w.-]*"  # a JWT
    r"|ac[as]_\w+"  # an administrator token, a client secret
)
_MARKS = ("asic ", "earer ", "eyJ", "aca_", "acs_")
"""A text without one of them has no credential: they are looked for in each line, and are fast to find."""


def configure(level: str) -> None:
    """Send structlog's lines, and those of libraries, to standard error from `level` on."""
    number = logging.getLevelNamesMapping()[level.upper()]
    output = _Output()
    atexit.register(output.flush)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.format_exc_info,
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: output,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(HidingFormatter("%(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler])


def redact(_: object, __: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Hide values whose name or type says that they are secret."""
    for name, value in event.items():
        if name.lower() in _SECRET_NAMES or isinstance(value, Secret):
            event[name] = REDACTED
    return event


def hide_credentials(text: str) -> str:
    """Text without the credentials in it, for what we did not word: what a server sent, and tracebacks."""
    for mark in _MARKS:
        if mark in text:
            return _CREDENTIALS.sub(REDACTED, text)
    return text


_to_json: Final = json.JSONEncoder(default=repr).encode


def _line(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    return hide_credentials(_to_json(event))


class _Output:
    """Where the lines go. Those about requests wait a moment for others, as one write for each would be felt."""

    def __init__(self) -> None:
        self._stream = sys.stderr
        self._waiting: list[str] = []
        self._lock = threading.Lock()  # commands of the control plane run in threads

    def msg(self, line: str) -> None:
        """Write a line, after those that wait."""
        with self._lock:
            self._waiting.append(line)
        self.flush()

    debug = info = warning = warn = error = exception = critical = fatal = failure = msg

    def later(self, line: str) -> None:
        """Write a line soon; it is called in the event loop only."""
        with self._lock:
            is_first = not self._waiting
            self._waiting.append(line)
        if is_first:
            asyncio.get_running_loop().call_later(WAIT_SECONDS, self.flush)

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            if waiting and not self._stream.closed:
                self._stream.write("\n".join(waiting) + "\n")
                self._stream.flush()


class HidingFormatter(logging.Formatter):
    """Of libraries' lines, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return hide_credentials(super().format(record))


class RequestLog:
    """Lines about requests, of which there are thousands a second: a logger's, written with a tenth of its work.

    It is made after `configure`, and its lines are written within `WAIT_SECONDS`, in the order of all lines. Values are
    text, or a list of texts, and none of them is secret by its name.
    """

    def __init__(self, room: str) -> None:
        self._is_on = logger(room).is_enabled_for(logging.INFO)
        self._begin = f'{{"room": {_quoted(room)}, '
        self._output: _Output = structlog.get_config()["logger_factory"]()
        self._second, self._stamp = 0, ""

    def info(self, event: str, **values: str | list[str]) -> None:
        """Write a line."""
        if not self._is_on:
            return
        line = self._begin
        for name, value in values.items():
            line += f'"{name}": {_quoted(value) if isinstance(value, str) else _to_json(value)}, '
        line += f'"event": "{event}", "level": "info", "timestamp": "{self._now()}"}}'
        self._output.later(hide_credentials(line))

    def _now(self) -> str:
        """The time in UTC as ISO 8601 has it, to the microsecond; a second's text is made once."""
        second, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
        if second != self._second:
            self._second, self._stamp = second, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._stamp}.{nanoseconds // 1000:06}Z"


_quoted: Final = json.encoder.encode_basestring_ascii
Log = structlog.typing.FilteringBoundLogger


def logger(room: str) -> Log:
    """A logger whose lines name the room that wrote them; as it is configured now, so not for a module to keep."""
    bound: Log = structlog.get_logger().bind(room=room)
    return bound
