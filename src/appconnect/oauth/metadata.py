"""The documents by which clients find everything: keys and metadata, made from one snapshot."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from appconnect.core.clients import GrantType
from appconnect.core.snapshot import Snapshot
from appconnect.core.tokens import ALGORITHM

ROOT: Final = "/wp-json/app-connect/v1"
TOKEN, REVOKE, INTROSPECT, JWKS = (f"{ROOT}/{name}" for name in ("token", "revoke", "introspect", "jwks"))
AUTHORIZATION_SERVER: Final = "/.well-known/oauth-authorization-server"
PROTECTED_RESOURCE: Final = "/.well-known/oauth-protected-resource"
_AUTHENTICATION_METHODS: Final = ["client_secret_basic", "client_secret_post"]


def jwks(snapshot: Snapshot, *, now: int) -> dict[str, Any]:
    """RFC 7517 §5: the public keys that tokens verify with."""
    return snapshot.key_ring.public_jwks(now=now)


def authorization_server(snapshot: Snapshot, *, now: int) -> dict[str, Any]:
    """RFC 8414 §2."""
    del now
    base = snapshot.issuer
    return {
        "issuer": base,
        "token_endpoint": base + TOKEN,
        "revocation_endpoint": base + REVOKE,
        "introspection_endpoint": base + INTROSPECT,
        "jwks_uri": base + JWKS,
        "grant_types_supported": sorted(grant.parameter for grant in GrantType),
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": _AUTHENTICATION_METHODS,
        "revocation_endpoint_auth_methods_supported": _AUTHENTICATION_METHODS,
        "introspection_endpoint_auth_methods_supported": _AUTHENTICATION_METHODS,
        "protected_resources": [snapshot.audience],  # RFC 9728 §4
    }


def protected_resource(snapshot: Snapshot, *, now: int) -> dict[str, Any]:
    """RFC 9728 §2, for the REST API."""
    return _resource(snapshot.audience, snapshot, now)


def protected_host(snapshot: Snapshot, *, now: int) -> dict[str, Any]:
    """RFC 9728 §3.3 wants `resource` to be what the caller asked about: here the bare host."""
    return _resource(snapshot.issuer, snapshot, now)


def _resource(identifier: str, snapshot: Snapshot, now: int) -> dict[str, Any]:
    del now
    return {
        "resource": identifier,
        "authorization_servers": [snapshot.issuer],
        "jwks_uri": snapshot.issuer + JWKS,
        "bearer_methods_supported": ["header"],
        "resource_signing_alg_values_supported": [ALGORITHM],
    }


DOCUMENTS: Final[Mapping[str, Callable[..., dict[str, Any]]]] = {
    JWKS: jwks,
    AUTHORIZATION_SERVER: authorization_server,
    PROTECTED_RESOURCE + "/wp-json": protected_resource,
    PROTECTED_RESOURCE: protected_host,
}
