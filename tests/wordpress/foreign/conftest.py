"""A backend service whose OAuth client no one here wrote, and WordPress's own word on what it published."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tests.gateways import Registered
from tests.wordpress.conftest import Guarded
from tests.wordpress.foreign.npm import Node, find_node, installed_packages

_STORED_POST = """
$post = get_post($id);
echo json_encode([
    'title' => $post->post_title,
    'status' => $post->post_status,
    'author' => get_the_author_meta('user_login', $post->post_author),
]);
"""


@dataclass(frozen=True, slots=True)
class Backend:
    """What the service's developer was given, and the site behind."""

    guarded: Guarded
    client: Registered

    @property
    def issuer(self) -> str:
        return self.guarded.gateway.url

    @property
    def posts_url(self) -> str:
        return f"{self.issuer}/wp-json/wp/v2/posts"

    @property
    def environment(self) -> dict[str, str]:
        """For a service in another language."""
        return {
            "SITE_URL": self.issuer,
            "CLIENT_ID": self.client.client_id,
            "CLIENT_SECRET": self.client.client_secret,
        }

    def stored_post(self, post_id: int) -> dict[str, Any]:
        """A post as WordPress has it, asked past the gateway."""
        stored: dict[str, Any] = json.loads(self.guarded.site.site.php(_STORED_POST, id=post_id))
        return stored


@pytest.fixture(scope="session")
def backend(guarded: Guarded) -> Backend:
    """A service that may publish posts as `author`, read each, and upload."""
    client = guarded.gateway.add_client(
        "Foreign",
        "author",
        "POST /wp-json/wp/v2/posts",
        "GET /wp-json/wp/v2/posts/*",
        "POST /wp-json/wp/v2/media",
    )
    return Backend(guarded, client)


@pytest.fixture(scope="session")
def node() -> Node:
    """Node with the packages of package-lock.json."""
    return Node(find_node(), installed_packages())
