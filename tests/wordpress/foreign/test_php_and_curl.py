"""A backend service in PHP without a library, and the curl of the command line."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from demo.wordpress.debian import program
from tests.gateways import clean_environment
from tests.wordpress.foreign.conftest import Backend

HERE = Path(__file__).parent
LARGE_ENOUGH_FOR_EXPECT = 2_000_000  # bytes; from one megabyte on curl asks with `Expect: 100-continue` first


@pytest.mark.parametrize("script", ["with_curl.php", "with_streams.php"], ids=["curl extension", "http streams"])
def test_a_php_service_publishes_and_revokes(backend: Backend, script):
    ran = subprocess.run(
        [program("php"), "-d", "display_errors=stderr", "-d", "error_reporting=-1", HERE / script],
        env=clean_environment(**backend.environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert ran.stderr == ""
    printed = json.loads(ran.stdout)
    assert printed["created"] == 201
    assert backend.stored_post(printed["id"]) == {"title": "Grüße von PHP", "status": "publish", "author": "author"}
    assert printed["title"] == "Grüße von PHP"
    assert printed["refused"] == 401
    assert printed["code"] == "app_connect_invalid_token"


def test_curl_gets_a_token_publishes_reads_back_and_revokes(backend: Backend):
    endpoints = f"{backend.issuer}/wp-json/app-connect/v1"
    credentials = ("-d", f"client_id={backend.client.client_id}", "-d", f"client_secret={backend.client.client_secret}")
    status, answer = curl("-d", "grant_type=client_credentials", *credentials, f"{endpoints}/token")
    assert status == 200
    token = answer["access_token"]

    publish = ("--json", '{"title": "Grüße von curl", "status": "publish"}')
    status, created = curl("--oauth2-bearer", token, *publish, backend.posts_url)
    assert status == 201
    assert backend.stored_post(created["id"]) == {"title": "Grüße von curl", "status": "publish", "author": "author"}
    status, read = curl("--oauth2-bearer", token, f"{backend.posts_url}/{created['id']}")
    assert status == 200
    assert read["title"]["rendered"] == "Grüße von curl"

    status, introspected = curl("-d", f"token={token}", *credentials, f"{endpoints}/introspect")
    assert status == 200
    assert introspected["active"] is True
    status, _ = curl("-d", f"token={token}", *credentials, f"{endpoints}/revoke")
    assert status == 200
    status, refused = curl("--oauth2-bearer", token, f"{backend.posts_url}/{created['id']}")
    assert status == 401
    assert refused["code"] == "app_connect_invalid_token"


@pytest.mark.parametrize("http_version", ["--http1.0", "--http1.1"])
def test_curl_uploads_a_large_file_as_a_form(backend: Backend, tmp_path, http_version):
    token = backend.guarded.gateway.token(backend.client)
    (tmp_path / "Jahresübersicht.txt").write_text("Ein Satz.\n" * (LARGE_ENOUGH_FOR_EXPECT // 10))
    status, media = curl(
        http_version, "--oauth2-bearer", token,
        "-F", f"file=@{tmp_path / 'Jahresübersicht.txt'}", "-F", "title=Jahresübersicht",
        f"{backend.issuer}/wp-json/wp/v2/media",
    )  # fmt: skip
    assert status == 201
    assert media["title"]["raw"] == "Jahresübersicht"
    assert backend.stored_post(media["id"])["author"] == "author"
    path = backend.guarded.site.site.php("echo get_attached_file($id);", id=media["id"])
    assert Path(path).read_bytes() == (tmp_path / "Jahresübersicht.txt").read_bytes()


def curl(*arguments: str) -> tuple[int, Any]:
    """The status and the JSON that came, if any."""
    ran = subprocess.run(
        ["curl", "-sS", "-w", "\n%{http_code}", *arguments], capture_output=True, text=True, check=True, timeout=120
    )
    body, _, status = ran.stdout.rpartition("\n")
    return int(status), json.loads(body) if body else None
