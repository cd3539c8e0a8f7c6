"""A site's REST index: finding it, and reading what it says of the site and of application passwords."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from appconnect.core.rules import Method
from appconnect.core.snapshot import SiteAddress
from appconnect.ports import SiteDescription, SiteRoute, UpstreamError
from appconnect.site import problems
from appconnect.site.rest import (
    CONNECT_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
    Answer,
    RestRoot,
    normal_address,
    plain,
    printable,
)

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_WITHIN_SITE = re.compile(r"/(?:wp-admin|wp-json|wp-login\.php|index\.php)(?:/.*)?$")
_CHALLENGED = (401, 403, 405, 406, 429, 451)
"""How firewalls and login walls answer."""


def discover(
    url: str,
    upstream_url: str | None,
    ca_file: Path | None,
    *,
    connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
    read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
) -> SiteDescription:
    """Find the WordPress that an administrator means by `url`, whichever style of permalinks it has.

    Args:
        url: the site's own address; https is assumed, and a path within the site (`/wp-admin/`) is left out.
        upstream_url: where it answers, where that is not `url`.
        ca_file: the operator's own certificate authority.
        connect_timeout_seconds: how long to wait for a connection.
        read_timeout_seconds: how long the site may be silent.

    Raises:
        UpstreamError: there is none, it cannot be used, or it lives elsewhere.
    """
    own = parse_address(url)
    upstream = own if upstream_url is None else _upstream_address(own, upstream_url)
    pretty, plain = (
        RestRoot(
            SiteAddress(own, upstream, has_pretty_permalinks),
            ca_file,
            connect_timeout_seconds=connect_timeout_seconds,
            read_timeout_seconds=read_timeout_seconds,
        )
        for has_pretty_permalinks in (True, False)
    )
    first = pretty.ask("GET", "/")
    if _is_index(first):
        return read_index(pretty, first)
    reject_moved(pretty, first)
    second = plain.ask("GET", "/")
    if _is_index(second):
        return read_index(plain, second)
    reject_moved(plain, second)
    raise no_index(own, first, second)


def describe(root: RestRoot) -> SiteDescription:
    """What a site that is known says of itself."""
    return read_index(root, ask_for_index(root))


def ask_for_index(root: RestRoot) -> Answer:
    """The index of a site that is known."""
    answer = root.ask("GET", "/")
    if not _is_index(answer):
        reject_moved(root, answer)
        raise no_index(root.address.url, answer)
    return answer


def parse_address(text: str) -> str:
    """The normal form of an address that somebody typed or copied from a browser."""
    typed = text.strip()
    url = typed if _SCHEME.match(typed) else f"https://{typed}"
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        _ = parts.port
    except ValueError:
        is_usable = False
    if not is_usable or any(character.isspace() or character == "\\" for character in typed):
        raise problems.not_an_address(re.sub(r"//[^/@]*@", "//…@", typed))
    path = _WITHIN_SITE.sub("", parts.path).rstrip("/")
    return normal_address(f"{parts.scheme}://{parts.netloc}{path}")


def _upstream_address(own: str, upstream_url: str) -> str:
    """Where the site answers, with the site's own path: a request's path is the same on both sides."""
    upstream, path = parse_address(upstream_url), urlsplit(own).path
    parts = urlsplit(upstream)
    if parts.path not in ("", path):
        raise problems.other_path(own, upstream)
    return f"{parts.scheme}://{parts.netloc}{path}"


# -- what answered ----------------------------------------------------------------------------------------------------


def _is_index(answer: Answer) -> bool:
    index = answer.content
    return (
        answer.status == 200
        and isinstance(index, dict)
        and isinstance(index.get("namespaces"), list)
        and "wp/v2" in index["namespaces"]
        and isinstance(index.get("routes"), dict)
    )


def reject_moved(root: RestRoot, answer: Answer) -> None:
    """Raise where the site redirects: to its right address, or to a login or another wall."""
    if answer.location is None or not 300 <= answer.status < 400:
        return
    asked, target = root.address.url, urlsplit(answer.location)
    own = urlsplit(asked)
    within = urlsplit(answer.url).path.removeprefix(own.path).rstrip("/")
    is_same_page = target.path.rstrip("/").endswith(within)
    path = target.path.rstrip("/").removesuffix(within) if is_same_page else own.path
    right = normal_address(f"{target.scheme}://{target.netloc}{path}")
    is_same_host = _without_www(target.hostname) == _without_www(own.hostname)
    if right == asked or "wp-login" in target.path or not (is_same_page or is_same_host):
        raise problems.rest_blocked(answer.what, f"with a redirect to {answer.location}")
    raise problems.moved(asked, right, f"{answer.what} redirects to {answer.location}.", _upstream_option(root))


def _without_www(host: str | None) -> str:
    return (host or "").removeprefix("www.")


def no_index(url: str, *answers: Answer) -> UpstreamError:
    """Why none of the answers is an index, by the one that says most."""
    for answer in answers:
        if answer.asks_for_login and not answer.is_json:
            return problems.rest_blocked(
                answer.what, f"{answer.status} and asks for a password of the web server's own"
            )
        if answer.error_code and answer.error_code.startswith("app_connect_"):
            return problems.a_gateway(url)
        if answer.error_code and answer.status < 500 and answer.error_code != "rest_no_route":
            detail = f": {answer.error_message}" if answer.error_message else ""
            return problems.rest_blocked(answer.what, f"{answer.status} ({answer.error_code}){detail}")
        if answer.status in _CHALLENGED:
            return problems.rest_blocked(answer.what, f"{answer.status} with {_kind(answer)}")
    failed = next((answer for answer in answers if answer.status >= 500), None)
    if failed is not None:
        return problems.unexpected(failed.what, how(failed))
    return problems.not_wordpress(url, [f"{answer.what} answers {how(answer)}" for answer in answers])


def how(answer: Answer) -> str:
    if answer.error_code:
        return f"{answer.status} ({answer.error_code})"
    return f"{answer.status} with {_kind(answer)}"


def _kind(answer: Answer) -> str:
    return "other JSON" if answer.is_json else "a page instead of JSON"


# -- what the index says ----------------------------------------------------------------------------------------------


def read_index(root: RestRoot, answer: Answer) -> SiteDescription:
    """What the site says of itself; raises where it lives elsewhere or its application passwords are off."""
    index: dict[str, Any] = answer.content
    home = printable(str(index.get("home", root.address.url)))
    _compare_home(root, home)
    authentication = index.get("authentication")
    offered = authentication.get("application-passwords") if isinstance(authentication, dict) else None
    if offered is None:
        raise _passwords_off(root, answer, home, str(index.get("url", home)))
    endpoints = offered.get("endpoints") if isinstance(offered, dict) else None
    authorize_url = endpoints.get("authorization") if isinstance(endpoints, dict) else None
    if not isinstance(authorize_url, str) or not authorize_url.startswith(("https://", "http://")):
        authorize_url = None
    return SiteDescription(
        root.address,
        plain(str(index.get("name") or "")),
        authorize_url and printable(authorize_url),
        tuple(index["routes"]),
    )


def read_routes(answer: Answer) -> tuple[SiteRoute, ...]:
    """Every route of the index with the methods that WordPress dispatches, in the site's own order."""
    routes = answer.content["routes"]
    return tuple(
        SiteRoute(template, str(route.get("namespace", "")), _methods(route))
        for template, route in routes.items()
        if isinstance(route, dict)
    )


def _methods(route: dict[str, Any]) -> frozenset[Method]:
    named = route.get("methods")
    return frozenset(Method(name) for name in named if name in Method.__members__) if isinstance(named, list) else _NONE


_NONE: frozenset[Method] = frozenset()


def _compare_home(root: RestRoot, home: str) -> None:
    """WordPress makes its links, and expects its visitors, at the address that it calls home."""
    asked, right = root.address.url, normal_address(home)
    asked_scheme, _, asked_rest = asked.partition("://")
    right_scheme, _, right_rest = right.partition("://")
    is_only_unaware_of_https = asked_rest == right_rest and (asked_scheme, right_scheme) == ("https", "http")
    if right == asked or is_only_unaware_of_https:
        return
    facts = f"The WordPress at {root.address.upstream_url} says that its address is {right}."
    raise problems.moved(asked, right, facts, _upstream_option(root))


def _passwords_off(root: RestRoot, answer: Answer, home: str, core_url: str) -> UpstreamError:
    """Since WordPress 5.6 they are on unless PHP sees no https on a site not of type local, or a filter says no."""
    asked = root.address.url
    if home.startswith("http://"):
        where = f"{asked} is served over http" if asked.startswith("http://") else f"{asked} believes to be {home}"
        return problems.no_https(home, f"{where}.")
    sees_https = _php_sees_https(root, core_url)
    if sees_https is False:
        facts = f"{asked} has an https address, but PHP does not see https when asked at {root.address.upstream_url}."
        return problems.no_https(home, facts)
    return problems.application_passwords_off(
        f"{answer.what} does not offer them", is_https_certain=sees_https is not None
    )


def _php_sees_https(root: RestRoot, core_url: str) -> bool | None:
    """WordPress's `is_ssl()`, told by how `auth_redirect` sends a visitor of wp-admin away; None where it does not.

    It sends one who came by http to the same page with https, and anyone else to wp-login.php, whose `redirect_to`
    has the scheme that PHP saw.
    """
    own_path, core_path = urlsplit(root.address.url).path, urlsplit(core_url).path.rstrip("/")
    if not core_path.startswith(own_path):
        return None
    page = root.open_page(f"{core_path.removeprefix(own_path)}/wp-admin/authorize-application.php")
    if page.location is None:
        return None
    target = urlsplit(page.location)
    if target.path.endswith("/wp-admin/authorize-application.php"):
        return False
    back = parse_qs(target.query).get("redirect_to", [""])[0]
    return back.startswith("https://") if back.startswith(("https://", "http://")) else None


def _upstream_option(root: RestRoot) -> str | None:
    address = root.address
    return None if address.upstream_url == address.url else address.upstream_url
