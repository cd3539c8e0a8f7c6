"""Log lines: JSON on standard error, with anything secret left out."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from appconnect.core.secret import Secret

REDACTED = "[redacted]"
_SECRET_NAMES = frozenset(("authorization", "cookie", "password", "secret", "client_secret", "access_token", "token"))

_CREDENTIALS = re.compile(
    r"[Bb](?:asic|earer) +[\w.~+/=-]{12,}"  # RFC 7617, RFC 6750
    r"|eyJ[\w-]{8,}[\w.-]*"  # a JWT
    r"|ac[as]_\w+"  # an administrator token, a client secret
)


def configure(level: str) -> None:
    """Send structlog's lines, and those of libraries, to standard error from `level` on."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.format_exc_info,
            _Line(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
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
    return _CREDENTIALS.sub(REDACTED, text)


class _Line(structlog.processors.JSONRenderer):
    def __call__(self, *arguments: Any) -> str:
        return hide_credentials(str(super().__call__(*arguments)))


class HidingFormatter(logging.Formatter):
    """Of libraries' lines, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        return hide_credentials(super().format(record))


def logger(room: str) -> structlog.typing.FilteringBoundLogger:
    """A logger whose lines name the room that wrote them."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger().bind(room=room)
    return bound
