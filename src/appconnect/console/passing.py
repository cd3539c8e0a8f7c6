"""What one page leaves for the next: in the session, or before there is one in a cookie; sealed in both."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

from appconnect.console.web import Gone, Notice
from appconnect.control.context import Context
from appconnect.core.secret import Secret

_MAX_CHARACTERS = 1_000
_NOTICES = "notices"


@dataclass(frozen=True, slots=True)
class Left:
    """Notices to show, and a secret to show once."""

    notices: tuple[Notice, ...] = ()
    secret: Mapping[str, str] | None = None


def packed(gone: Gone) -> Secret:
    """What waits for a page of the session."""
    secret = dict(gone.secret) if gone.secret else None
    return Secret(json.dumps({"notices": [[notice.kind, notice.text] for notice in gone.notices], "secret": secret}))


def unpacked(text: Secret) -> Left:
    """What has waited for it."""
    content = json.loads(text.reveal())
    return Left(tuple(Notice(kind, text) for kind, text in content["notices"]), content["secret"])


def to_cookie(context: Context, notices: tuple[Notice, ...]) -> str:
    """Notices as a cookie's value, for a browser without a session."""
    return sealed_value(
        context, json.dumps([[notice.kind, notice.text[:_MAX_CHARACTERS]] for notice in notices]), _NOTICES
    )


def from_cookie(context: Context, value: str) -> tuple[Notice, ...]:
    """Notices from a cookie; none from one that is not ours."""
    text = unsealed_value(context, value, _NOTICES)
    return tuple(Notice(kind, text) for kind, text in json.loads(text)) if text is not None else ()


def sealed_value(context: Context, text: str, purpose: str) -> str:
    """Text as a cookie's value that only we can make and read, and only for this purpose."""
    sealed = context.store.sessions.seal(Secret(text), f"console/{purpose}")
    return base64.urlsafe_b64encode(sealed).decode()


def unsealed_value(context: Context, value: str, purpose: str) -> str | None:
    """The text of such a cookie; None for any other."""
    try:
        sealed = base64.urlsafe_b64decode(value)
    except (binascii.Error, ValueError):
        return None
    text = context.store.sessions.unseal(sealed, f"console/{purpose}")
    return text.reveal() if text is not None else None
