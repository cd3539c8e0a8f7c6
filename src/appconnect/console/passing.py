"""What one page leaves for the next: sealed in the session, or before there is one in a cookie without secrets."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

from appconnect.console.web import NOTICE_KINDS, Gone, Notice
from appconnect.core.secret import Secret

_MAX_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Left:
    """Notices to show, and a secret to show once, by the page at `path` and by no other."""

    notices: tuple[Notice, ...] = ()
    secret: Mapping[str, str] | None = None
    path: str = ""


def packed(gone: Gone) -> Secret:
    """What goes into the session."""
    notices = [[notice.kind, notice.text] for notice in gone.notices]
    secret = dict(gone.secret) if gone.secret else None
    return Secret(json.dumps({"notices": notices, "secret": secret, "path": gone.path.partition("?")[0]}))


def unpacked(text: Secret) -> Left:
    """What came out of the session."""
    content = json.loads(text.reveal())
    return Left(tuple(Notice(kind, text) for kind, text in content["notices"]), content["secret"], content["path"])


def to_cookie(notices: tuple[Notice, ...]) -> str:
    """Notices as a cookie's value: never a secret."""
    text = json.dumps([[notice.kind, notice.text[:_MAX_CHARACTERS]] for notice in notices])
    return base64.urlsafe_b64encode(text.encode()).decode()


def from_cookie(value: str) -> tuple[Notice, ...]:
    """Notices from a cookie; none from one that is not ours."""
    try:
        content = json.loads(base64.urlsafe_b64decode(value))
        return tuple(Notice(kind, text) for kind, text in content if kind in NOTICE_KINDS and isinstance(text, str))
    except (binascii.Error, TypeError, ValueError):
        return ()
