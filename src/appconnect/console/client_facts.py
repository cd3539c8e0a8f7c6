"""What pages say of a client at a glance: its rules, its use and the health of its upstream credential."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from appconnect.control.activity import ClientActivity, RuleReport, SecretUse, activity_of, rules_of
from appconnect.control.context import Context
from appconnect.control.role_names import role_names
from appconnect.core.activity import Health
from appconnect.core.clients import Client
from appconnect.core.policy import Policy
from appconnect.core.rules import RouteRule
from appconnect.core.snapshot import Snapshot

HEALTH: Final[Mapping[Health | None, tuple[str, str]]] = {
    Health.HEALTHY: ("Healthy", "good"),
    Health.REPLACED: ("Healthy, replaced", "good"),
    Health.LOST: ("Lost", "bad"),
    Health.UNKNOWN: ("WordPress did not answer", "warning"),
    None: ("Not used yet", "unknown"),
}
"""The word and its kind for each finding."""


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """A client as pages show it; `secrets` are those that are still valid."""

    client: Client
    policy: Policy
    activity: ClientActivity
    rules: tuple[RuleReport, ...]
    dead: int
    secrets: tuple[SecretUse, ...]

    @property
    def role(self) -> str:
        """The service user's roles as last seen."""
        return role_names(self.policy.service_user.roles)

    @property
    def health(self) -> tuple[str, str]:
        """The health of its upstream credential, as a word and its kind."""
        return HEALTH[self.activity.check.health if self.activity.check else None]

    @property
    def unused(self) -> int:
        """How many rules may be taken away, as far as their use tells."""
        return sum(report.is_unused for report in self.rules if report.rule is not None)

    @property
    def leaving_at(self) -> int | None:
        """When a secret ends by itself, the first one; seconds since the epoch."""
        ends = [one.secret.expires_at for one in self.secrets if one.secret.expires_at is not None]
        return min(ends, default=None)


def facts_of(context: Context, snapshot: Snapshot, clients: Iterable[Client]) -> list[ClientFacts]:
    """What is known of these clients, in their order; WordPress is not asked."""
    clients = list(clients)
    activities, now = activity_of(context, clients), context.clock()
    found = []
    for client in clients:
        activity, policy = activities[client.id], snapshot.current_policy(client)
        found.append(
            ClientFacts(
                client=client,
                policy=policy,
                activity=activity,
                rules=rules_of(context, client, policy),
                dead=sum(_is_dead(rule, snapshot) for rule in policy.rules),
                secrets=tuple(one for one in activity.secrets if not one.secret.is_expired(now=now)),
            )
        )
    return found


def _is_dead(rule: RouteRule, snapshot: Snapshot) -> bool:
    """Whether a rule opens no route that the site is known to have."""
    return bool(snapshot.templates.texts) and not snapshot.templates.opened_by(rule)
