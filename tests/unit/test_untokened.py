"""Requests without a token of ours go to the site, and nowhere else."""

import pytest

from appconnect.core.headers import Fields, Request
from appconnect.core.request import Refused
from appconnect.core.snapshot import SiteAddress
from appconnect.gateway.incoming import Incoming
from appconnect.gateway.untokened import untouched_request

SITE = SiteAddress("https://your-site.com", "http://127.0.0.1:8081", has_pretty_permalinks=True)


async def receive():
    return {"type": "http.request", "body": b"", "more_body": False}


def sent(raw_path: bytes):
    return untouched_request(Request("GET", raw_path, b"", Fields()), SITE, Incoming(receive, None))


def test_a_path_stays_as_it_is():
    assert sent(b"/a%2Fb//c@d").target == "/a%2Fb//c@d"


@pytest.mark.parametrize("raw_path", [b"@elsewhere/", b"*@elsewhere/x", b"elsewhere:80", b"*", b"", b".elsewhere/x"])
def test_what_would_name_another_server_behind_the_sites_address_is_refused(raw_path):
    """The target is written right behind the address: `http://site` and `@elsewhere` make another server's."""
    with pytest.raises(Refused):
        sent(raw_path)
