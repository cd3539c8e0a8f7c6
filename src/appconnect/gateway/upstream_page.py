"""An error page that stands before WordPress's REST API: the web server's, a firewall's, or WordPress's for people.

Such a page is HTML where the client reads JSON, and it often names the machine and the port that only we know.
"""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from appconnect.core.request import Pair
from appconnect.gateway.refusals import RefusalAnswer, refusal

_HTML: Final = (b"text/html", b"application/xhtml+xml")
_KEPT: Final = (b"location", b"retry-after", b"allow", b"www-authenticate")
"""What a status is incomplete without (RFC 9110 §10.2, §11.6.1)."""


def is_upstream_page(status: int, headers: Sequence[Pair]) -> bool:
    """Whether an answer is a page which WordPress's REST server has not made.

    `WP_REST_Server::serve_request` sends its headers before it does anything else, so what it makes has them. 304 is
    no page: it has no content (RFC 9110 §15.4.5), and must get none from us.
    """
    if status < 300 or status == HTTPStatus.NOT_MODIFIED:
        return False
    fields = {name: value.strip().lower() for name, value in headers}
    is_html = fields.get(b"content-type", b"").split(b";")[0].strip() in _HTML
    is_rest = b"x-wp-total" in fields.get(b"access-control-expose-headers", b"") or (
        b"noindex" in fields.get(b"x-robots-tag", b"") and fields.get(b"x-content-type-options") == b"nosniff"
    )
    return is_html and not is_rest


def upstream_page(status: int, headers: Sequence[Pair]) -> RefusalAnswer:
    """A page of the web server's or a firewall's in the place of a REST answer: its status and `headers` stay."""
    message = (
        f"The web server or a firewall before WordPress, not WordPress's REST API, answered {status}. {_remedy(status)}"
    )
    kept = [(name, value) for name, value in headers if name in _KEPT]
    return refusal(status, "app_connect_upstream_page", message, *kept)


def _remedy(status: int) -> str:
    match status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN | HTTPStatus.NOT_ACCEPTABLE:
            return "Its configuration, or a security plugin, must let the gateway reach the site's REST API."
        case HTTPStatus.NOT_FOUND | HTTPStatus.METHOD_NOT_ALLOWED:
            return "It must pass this address with this method to WordPress: check its rewriting and the permalinks."
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return "It takes no larger body: client_max_body_size in nginx, LimitRequestBody in Apache."
        case HTTPStatus.TOO_MANY_REQUESTS:
            return "It limits how often it is asked: send less, or have it except the gateway."
        case _ if status < 400:
            return "It sends the gateway elsewhere: connect the site under the address where it really is."
        case _:
            return "Its error log says why."
