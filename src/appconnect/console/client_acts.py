"""What is done with a client as a whole: each act has a page of its own that tells what it will stop."""

from dataclasses import dataclass
from typing import Any, Final

from appconnect.console.client_facts import ClientFacts, facts_of
from appconnect.console.web import Gone, Notice, Result, Shown, Visit, attempted
from appconnect.control.clients import delete_client, find_client, revoke_tokens, rotate_secret, set_enabled
from appconnect.control.context import InputError

_OVERLAPS: Final = (
    ("0", "Now", "Its access tokens are revoked too. For a secret that somebody else may know."),
    ("3600", "In 1 hour", "For a service that you change right now."),
    ("86400", "In 24 hours", "For a service that gets its new settings with the next release."),
    ("604800", "In 7 days", "For several services that you change one after the other."),
)
_DEFAULT_OVERLAP: Final = "86400"


@dataclass(frozen=True, slots=True)
class Act:
    """An act in words: its title, what it does, and the button that does it."""

    title: str
    button: str
    consequences: tuple[str, ...]
    is_dangerous: bool = True


def disable_page(visit: Visit) -> Result:
    """What disabling stops."""
    facts = _facts(visit)
    stops = (
        "Its access tokens stop working within a second.",
        "It gets no new access token: the token endpoint answers unauthorized_client.",
        "Client ID, secrets and allowlist stay, and you can enable it again at any time.",
    )
    return _page(facts, Act("Disable", "Disable client", stops))


def disable(visit: Visit) -> Result:
    """Disable the client."""
    client = set_enabled(visit.context, visit.parameter("client_id"), is_enabled=False)
    return Gone(f"/clients/{client.id}", (Notice("success", f"The client {client.name} is disabled."),))


def enable_page(visit: Visit) -> Result:
    """What enabling starts."""
    facts = _facts(visit)
    starts = (
        f"It gets access tokens again, and acts as {facts.policy.service_user.login}.",
        "Access tokens from before that have not expired work again. Revoke them first if they should not.",
    )
    return _page(facts, Act("Enable", "Enable client", starts, is_dangerous=False))


def enable(visit: Visit) -> Result:
    """Enable the client."""
    client = set_enabled(visit.context, visit.parameter("client_id"), is_enabled=True)
    return Gone(f"/clients/{client.id}", (Notice("success", f"The client {client.name} is enabled."),))


def delete_page(visit: Visit) -> Result:
    """What deleting ends for good."""
    facts = _facts(visit)
    login = facts.policy.service_user.login
    stops = (
        "Its access tokens stop working within a second, and its Client ID and Client Secret never work again.",
        "Its allowlist is lost. A client with the same name gets another Client ID and another secret.",
        f"The application password that App Connect made for {login} is removed from WordPress. The user stays.",
        "It cannot be undone. To stop it for a while, disable it.",
    )
    return _page(facts, Act("Delete", "Delete client", stops))


def delete(visit: Visit) -> Result:
    """Delete the client."""
    client, left = delete_client(visit.context, visit.parameter("client_id"))
    warnings = (Notice("warning", text) for text in left)
    return Gone("/clients", (Notice("success", f"The client {client.name} is deleted."), *warnings))


def revoke_page(visit: Visit) -> Result:
    """What revoking its tokens stops."""
    facts = _facts(visit)
    stops = (
        "Every access token that it has now stops working within a second.",
        "It may request new ones at once, as may everybody who has the secret.",
        "If somebody else may know the secret, rotate it without an overlap instead: that revokes the tokens too.",
    )
    return _page(facts, Act("Revoke tokens of", "Revoke Tokens", stops))


def revoke(visit: Visit) -> Result:
    """Revoke every token of the client."""
    client = revoke_tokens(visit.context, visit.parameter("client_id"))
    text = f"The access tokens of {client.name} are revoked. It needs new ones."
    return Gone(f"/clients/{client.id}", (Notice("success", text),))


def rotate_page(visit: Visit) -> Result:
    """The secrets with their last use, and how long the present one stays."""
    return Shown("client_rotate.html", _rotation(_facts(visit), _DEFAULT_OVERLAP))


def rotate(visit: Visit) -> Result:
    """Make a new secret; the next page shows it once."""
    overlap = visit.form.text("overlap")

    def act() -> Result:
        if overlap not in [value for value, _, _ in _OVERLAPS]:
            raise InputError.of("overlap", "How long the old secret stays is missing.", "Choose one of the times.")
        client, secret = rotate_secret(visit.context, visit.parameter("client_id"), overlap_seconds=int(overlap))
        shown_once = {"client_id": client.id, "client_secret": secret.reveal()}
        done = "The old one has ended" if overlap == "0" else f"The old one ends {_label(overlap).lower()}"
        text = f"The client {client.name} has a new secret. {done}."
        return Gone(f"/clients/{client.id}/secret", (Notice("success", text),), shown_once)

    def again(error: InputError) -> Result:
        return Shown("client_rotate.html", _rotation(_facts(visit), overlap), 400, error.problems)

    find_client(visit.context, visit.parameter("client_id"))  # an unknown one is an error page, no problem of the form
    return attempted(act, again)


def _label(overlap: str) -> str:
    return next(label for value, label, _ in _OVERLAPS if value == overlap)


def _rotation(facts: ClientFacts, overlap: str) -> dict[str, Any]:
    title = f"Rotate the secret of {facts.client.name}"
    return {"page_title": title, "client": facts.client, "facts": facts, "overlaps": _OVERLAPS, "overlap": overlap}


def _facts(visit: Visit) -> ClientFacts:
    client, _ = find_client(visit.context, visit.parameter("client_id"))
    return facts_of(visit.context, visit.snapshot, [client])[0]


def _page(facts: ClientFacts, act: Act) -> Shown:
    title = f"{act.title} {facts.client.name}"
    return Shown("client_act.html", {"page_title": title, "client": facts.client, "facts": facts, "act": act})
