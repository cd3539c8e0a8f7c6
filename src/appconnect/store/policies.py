"""Policies as they are stored: read when they are first asked for, and then once for all snapshots."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from appconnect.core.policy import Policy
from appconnect.telemetry import logger

POLICY_RETENTION_SECONDS: Final = 86_400 + 3_600
"""A superseded policy is kept while a token may name it: the longest token lifetime and an hour."""


class DamagedPolicyError(KeyError):
    """What the database holds under a policy's hash has another hash, or is no policy."""


class KeptPolicy:
    """One policy: its JSON until it is asked for, the value from then on. Threads may share it."""

    __slots__ = ("_hash", "_kept")

    def __init__(self, policy_hash: str, content: str) -> None:
        self._hash = policy_hash
        self._kept: str | Policy | None = content

    def read(self) -> Policy:
        """The policy. `DamagedPolicyError` where its content is not what its hash says: it is as good as none."""
        kept = self._kept
        if isinstance(kept, str):
            kept = self._kept = self._parse(kept)
        if kept is None:
            raise DamagedPolicyError(self._hash)
        return kept

    @property
    def is_damaged(self) -> bool:
        """Whether it was found to be damaged when it was asked for."""
        return self._kept is None

    def make_ready(self) -> None:
        """Read it and compile its allowlist now, so that no request waits for that."""
        with contextlib.suppress(DamagedPolicyError):
            _ = self.read().allowlist

    def _parse(self, content: str) -> Policy | None:
        try:
            policy = Policy.from_json(json.loads(content))
        except (KeyError, TypeError, ValueError):
            policy = None
        if policy is None or policy.hash != self._hash:
            logger("store.policies").error(
                "a policy in the database is damaged, nothing is allowed by it", hash=self._hash
            )
            return None
        return policy


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A row of the table; `superseded_at` is None where it is its client's current one."""

    hash: str
    superseded_at: int | None
    kept: KeptPolicy

    @property
    def ends_at(self) -> int | None:
        """From when on no token can name it."""
        return self.superseded_at + POLICY_RETENTION_SECONDS if self.superseded_at is not None else None


class StoredPolicies(Mapping[str, Policy]):
    """A snapshot's policies by their hash."""

    __slots__ = ("_kept",)

    def __init__(self, kept: Mapping[str, KeptPolicy]) -> None:
        self._kept = kept

    def __getitem__(self, policy_hash: str) -> Policy:
        return self._kept[policy_hash].read()

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)
