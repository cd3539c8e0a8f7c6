"""What goes to WordPress is said by the site and the credential that are given, not by those of an earlier request."""

from dataclasses import replace

from appconnect.core.canonical import canonicalize
from appconnect.core.headers import Fields, Request
from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteAddress, UpstreamCredential
from appconnect.gateway.forward import upstream_request
from tests.protocol.conftest import basic

SITE = SiteAddress("https://wordpress.example/blog/", "https://wordpress.example/blog/", has_pretty_permalinks=True)
REQUEST = canonicalize(Request("GET", b"/wp-json/wp/v2/posts", b"page=2", Fields(((b"accept", b"*/*"),))))


def sent(site: SiteAddress, password: str) -> tuple[str, dict[bytes, bytes]]:
    request = upstream_request(
        REQUEST, site, UpstreamCredential("author", Secret(password)), body=None, content_length=None
    )
    return request.target, dict(request.headers)


def test_each_credential_is_its_own_among_many():
    for number in (*range(600), *range(600)):
        _, headers = sent(SITE, f"p{number}")
        assert headers[b"authorization"] == basic("author", f"p{number}").encode()


def test_the_same_credential_at_another_site_goes_there():
    credential = UpstreamCredential("author", Secret("p"))
    sites = (SITE, replace(SITE, url="https://b.example"), replace(SITE, has_pretty_permalinks=False))
    requests = [upstream_request(REQUEST, site, credential, body=None, content_length=None) for site in sites * 2]
    assert [(dict(request.headers)[b"host"], request.target) for request in requests] == 2 * [
        (b"wordpress.example", "/blog/wp-json/wp/v2/posts?rest_route=/wp/v2/posts&page=2"),
        (b"b.example", "/wp-json/wp/v2/posts?rest_route=/wp/v2/posts&page=2"),
        (b"wordpress.example", "/blog/index.php?rest_route=/wp/v2/posts&page=2"),
    ]


def test_fields_that_were_sent_with_another_request_are_written_alike():
    assert sent(SITE, "p") == sent(SITE, "p")
