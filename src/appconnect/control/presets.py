"""Allowlists by job, for those who know what the backend service is to do and not yet which routes that takes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from appconnect.control.review import opened_paths
from appconnect.core.rules import RouteRule
from appconnect.ports import SiteRoute


@dataclass(frozen=True, slots=True)
class Preset:
    """A job in an administrator's words, and the rules that it takes."""

    id: str
    label: str
    rules: tuple[RouteRule, ...]


def _preset(id_: str, label: str, *rules: str) -> Preset:
    return Preset(id_, label, tuple(map(RouteRule.parse, rules)))


_POSTS, _MEDIA, _COMMENTS = "/wp-json/wp/v2/posts", "/wp-json/wp/v2/media", "/wp-json/wp/v2/comments"
_PAGES, _ORDERS, _PRODUCTS = "/wp-json/wp/v2/pages", "/wp-json/wc/v3/orders", "/wp-json/wc/v3/products"

PRESETS: Final = (
    _preset("publish-posts", "Publish posts", f"GET {_POSTS}", f"POST {_POSTS}", f"GET {_POSTS}/*", f"POST {_POSTS}/*"),
    _preset("upload-media", "Upload media", f"GET {_MEDIA}", f"POST {_MEDIA}", f"GET {_MEDIA}/*", f"POST {_MEDIA}/*"),
    _preset(
        "read-content", "Read posts and pages", f"GET {_POSTS}", f"GET {_POSTS}/*", f"GET {_PAGES}", f"GET {_PAGES}/*"
    ),
    _preset("edit-pages", "Edit pages", f"GET {_PAGES}", f"GET {_PAGES}/*", f"POST {_PAGES}/*"),
    _preset("moderate-comments", "Moderate comments", f"GET {_COMMENTS}", f"GET {_COMMENTS}/*", f"POST {_COMMENTS}/*"),
    _preset("who-am-i", "See its own user", "GET /wp-json/wp/v2/users/me"),
    _preset("read-orders", "Read orders", f"GET {_ORDERS}", f"GET {_ORDERS}/*"),
    _preset("update-orders", "Update orders", f"GET {_ORDERS}", f"GET {_ORDERS}/*", f"PUT {_ORDERS}/*"),
    _preset("update-products", "Update products and stock", f"GET {_PRODUCTS}", f"PUT {_PRODUCTS}/*"),
)
"""The job first that the guide has; those of WooCommerce are for sites that have it."""


def presets_for(routes: Iterable[SiteRoute]) -> Iterator[Preset]:
    """The jobs of which the site has every route."""
    listed = tuple(routes)
    for preset in PRESETS:
        if all(opened_paths(listed, rule) for rule in preset.rules):
            yield preset
