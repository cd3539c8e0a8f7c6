"""One client: what it may do under both locks, how it fares, and what can be done with it."""

from dataclasses import dataclass
from typing import Final

from appconnect.console.activity_words import Why, try_path, why
from appconnect.console.client_facts import ClientFacts, facts_of
from appconnect.console.client_rules import Lock, locks
from appconnect.console.web import Gone, Notice, Result, Shown, Visit
from appconnect.control.activity import RuleReport, refusals
from appconnect.control.clients import find_client
from appconnect.control.credentials import check_credential
from appconnect.control.passwords import credential_of
from appconnect.control.review import review
from appconnect.core.access import is_grant_enabled
from appconnect.core.activity import Health, Refusal, RefusalFilter
from appconnect.core.clients import GrantType
from appconnect.ports import UpstreamError

MOST_REFUSALS: Final = 5
_FINDINGS: Final = {
    Health.HEALTHY: Notice("success", "WordPress accepts the application password of this client."),
    Health.REPLACED: Notice("success", "WordPress did not accept the application password any more. It has a new one."),
    Health.LOST: Notice("error", "WordPress does not accept the application password, and it could not be replaced."),
    Health.UNKNOWN: Notice("warning", "WordPress could not be asked. Try again when the site answers."),
}


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused request as the page shows it, with the path of the page that explains it."""

    refusal: Refusal
    why: Why
    try_path: str | None


@dataclass(frozen=True, slots=True)
class UsedRule:
    """A rule under both locks, and what is known of its use."""

    lock: Lock
    used: str
    is_unused: bool


def overview(visit: Visit) -> Result:
    """The client as it is now."""
    client, _ = find_client(visit.context, visit.parameter("client_id"))
    (facts,) = facts_of(visit.context, visit.snapshot, [client])
    found, trouble = _locks(visit, facts)
    values = {
        "page_title": client.name,
        "client": client,
        "facts": facts,
        "is_grant_enabled": is_grant_enabled(client, GrantType.CLIENT_CREDENTIALS, visit.snapshot),
        "is_global_grant_enabled": GrantType.CLIENT_CREDENTIALS in visit.snapshot.switches.grant_types,
        "lifetime_seconds": client.token_lifetime_seconds or visit.snapshot.switches.token_lifetime_seconds,
        "token_url": f"{visit.snapshot.issuer}/wp-json/app-connect/v1/token",
        "rules": _used(facts, found),
        "trouble": trouble,
        "refused": _refused(visit, client.id),
    }
    return Shown("client_overview.html", values)


def check_health(visit: Visit) -> Result:
    """Check the client's upstream credential now, and replace it where it is lost."""
    client, _ = find_client(visit.context, visit.parameter("client_id"))
    return Gone(f"/clients/{client.id}", (_FINDINGS[check_credential(visit.context, client.id)],))


def _locks(visit: Visit, facts: ClientFacts) -> tuple[dict[str, Lock], str]:
    """The rules under both locks, and why WordPress's is not known.

    WordPress is asked with the client's own credential only: looking at a page makes no application password.
    """
    own = credential_of(visit.context, facts.client.id)
    is_own = own is not None and own.user_id == facts.policy.service_user.id
    login = facts.policy.service_user.login if is_own else None
    try:
        reviewed = review(visit.context, facts.policy.rules, user=login, client_id=facts.client.id)
    except UpstreamError as error:
        return {}, f"What WordPress permits could not be asked: {error.facts} {error.remedy}"
    return {lock.rule: lock for lock in locks(reviewed)}, ""


def _used(facts: ClientFacts, found: dict[str, Lock]) -> list[UsedRule]:
    rules = []
    for report in facts.rules:
        if report.rule is None:
            continue
        text = str(report.rule)
        rules.append(UsedRule(found.get(text, Lock(text, (), "", "", ())), _use(report), report.is_unused))
    return rules


def _use(report: RuleReport) -> str:
    if report.last_hour is None:
        return "Not used yet"
    return f"{report.requests:,} {'request' if report.requests == 1 else 'requests'} in 30 days"


def _refused(visit: Visit, client_id: str) -> list[Refused]:
    page = refusals(visit.context, RefusalFilter(client_id=client_id), limit=MOST_REFUSALS)
    return [Refused(one, why(one.code), try_path(client_id, one)) for one in page.items]
