"""Whether an address answers at all."""

from pathlib import Path

import urllib3

from appconnect.site.tls import tls_context

TIMEOUT_SECONDS = 5.0


def answers(url: str, ca_file: Path | None) -> bool:
    """Whether `GET url` is answered with 200 over a connection that can be trusted."""
    with urllib3.PoolManager(ssl_context=tls_context(ca_file), retries=False, timeout=TIMEOUT_SECONDS) as http:
        try:
            return http.request("GET", url, redirect=False).status == 200
        except urllib3.exceptions.HTTPError:
            return False
