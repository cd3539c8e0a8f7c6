"""The same with real nginx and PHP: a route of a plugin whose answer has no end, and one that takes whatever comes."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fault.conftest import Ground
from tests.fault.streams import MIB, asking
from tests.gateways import Registered, eventually, serving

PLUGIN = """<?php
add_action('rest_api_init', function () {
    register_rest_route('test/v1', '/zeros', ['permission_callback' => '__return_true', 'callback' => function () {
        while (ob_get_level()) {
            ob_end_clean();
        }
        register_shutdown_function(fn() => touch(WP_CONTENT_DIR . '/stopped'));
        for ($piece = str_repeat("\\0", 1048576); ; flush()) {
            echo $piece;
        }
    }]);
    register_rest_route('test/v1', '/size', ['methods' => 'POST', 'permission_callback' => '__return_true',
        'callback' => fn() => strlen(file_get_contents('php://input'))]);
});
"""
SIZE = 16 * MIB


@pytest.fixture
def client(ground: Ground) -> Iterator[Registered]:
    """Of a gateway that is being served, before a site with the plugin."""
    plugin = ground.site.content / "mu-plugins" / "streams.php"
    plugin.write_text(PLUGIN)
    with serving(ground.gateway):
        yield ground.gateway.add_client("Streams", "author", "GET /wp-json/test/v1/zeros", "POST /wp-json/test/v1/size")
    plugin.unlink()


def test_php_stops_when_the_client_goes(ground: Ground, client: Registered):
    """An answer of any size, for as long as somebody reads it."""
    stopped: Path = ground.site.content / "stopped"
    with asking(ground.gateway, ground.gateway.token(client), path="/test/v1/zeros") as connection:
        assert b" 200 " in connection.head()
        assert connection.read(SIZE) == SIZE
        assert not stopped.exists()
    eventually(stopped.exists)


def test_php_gets_the_whole_of_an_upload(ground: Ground, client: Registered):
    url, headers = f"{ground.gateway.url}/wp-json/test/v1/size", ground.gateway.bearer(client)
    answer = httpx.post(url, headers={**headers, "Content-Type": "application/octet-stream"}, content=bytes(SIZE))
    assert answer.json() == SIZE
