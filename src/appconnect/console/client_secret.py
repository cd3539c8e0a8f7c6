"""Client ID and Client Secret, shown once, with commands that use them."""

from appconnect.console.client_examples import Call, examples
from appconnect.console.web import Result, Shown, Visit
from appconnect.control.clients import find_client
from appconnect.core.policy import AccessMode, Policy
from appconnect.core.rules import Method


def secret_page(visit: Visit) -> Result:
    """The secret where the page before has just made it; else how to get another one."""
    client, policy = find_client(visit.context, visit.parameter("client_id"))
    secret = dict(visit.secret or {})
    values = {"page_title": client.name, "client": client, "policy": policy}
    if secret.get("client_id") != client.id:
        return Shown("client_secret_gone.html", values)
    call = Call.first_of(policy)
    shown = examples(
        visit.snapshot.public_url, client.id, secret["client_secret"], call, can_publish=_can_publish(policy)
    )
    is_refused = not policy.rules and policy.access_mode is not AccessMode.FULL
    values |= {"secret": secret["client_secret"], "examples": shown, "call": call, "is_refused": is_refused}
    return Shown("client_secret.html", values)


def _can_publish(policy: Policy) -> bool:
    matching = policy.allowlist.matching(Method.POST, ("wp", "v2", "posts"))
    return policy.access_mode is AccessMode.FULL or next(iter(matching), None) is not None
