"""What App Connect tells an administrator about a site that is not as it should be: each problem, and its remedy."""

import datetime as dt
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteAddress, UpstreamCredential
from appconnect.ports import SiteProblem, UpstreamError
from appconnect.site.index import discover
from appconnect.site.wordpress import WordPressSite

ADMIN = UpstreamCredential("admin", Secret("abcdEFGHijklMNOPqrstUVWX"))
ME = "/wp-json/wp/v2/users/me?context=edit"
A_PAGE = "<!DOCTYPE html><title>Just a moment…</title>"
NOT_LOGGED_IN = {"code": "rest_not_logged_in", "message": "You are not currently logged in.", "data": {"status": 401}}
NO_ROUTE = {"code": "rest_no_route", "message": "No route was found.", "data": {"status": 404}}


# -- a server that plays back answers ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reply:
    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def payload(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Seen:
    method: str
    target: str
    headers: dict[str, str]


@dataclass(frozen=True)
class PlayBack:
    """`replies` by request target; anything else is a 404 page. `{url}` in a body becomes the server's address."""

    url: str
    replies: dict[str, Reply]
    seen: list[Seen]

    @property
    def host(self) -> str:
        return self.url.partition("://")[2]

    def site(self) -> WordPressSite:
        return WordPressSite(SiteAddress(self.url, self.url, has_pretty_permalinks=True), None)


@contextmanager
def playing_back(tls: ssl.SSLContext | None) -> Iterator[PlayBack]:
    replies: dict[str, Reply] = {}
    seen: list[Seen] = []

    class Player(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            seen.append(Seen(self.command, self.path, dict(self.headers)))
            reply = replies.get(self.path, Reply(404, "<!DOCTYPE html><title>Not found</title>"))
            payload = reply.payload.replace(b"{url}", url.encode())
            self.send_response(reply.status)
            for name, value in ({"Content-Length": str(len(payload))} | reply.headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Player) as server:
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield PlayBack(url, replies, seen)
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def start() -> Iterator[Callable[..., PlayBack]]:
    with ExitStack() as servers:
        yield lambda tls=None: servers.enter_context(playing_back(tls))


@pytest.fixture
def server(start) -> PlayBack:
    played: PlayBack = start()
    return played


def index(**changes: Any) -> dict[str, Any]:
    """An index as WordPress 6.5 gives it, cut to what is read."""
    authorize = "{url}/wp-admin/authorize-application.php"
    return {
        "name": "A site",
        "url": "{url}",
        "home": "{url}",
        "namespaces": ["oembed/1.0", "wp/v2"],
        "authentication": {"application-passwords": {"endpoints": {"authorization": authorize}}},
        "routes": {"/": {}},
    } | changes


def problem_of(call: Callable[[], object]) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        call()
    return raised.value


def diagnosis(url: str, **arguments: Any) -> UpstreamError:
    return problem_of(lambda: discover(url, arguments.pop("upstream_url", None), arguments.pop("ca_file", None)))


# -- a site that is as it should be -----------------------------------------------------------------------------------


def test_a_site_is_found_with_its_name_and_its_authorize_page(server):
    server.replies["/wp-json/"] = Reply(200, index())

    found = discover(server.url, None, None)

    assert found.address == SiteAddress(server.url, server.url, has_pretty_permalinks=True)
    assert found.name == "A site"
    assert found.authorize_url == f"{server.url}/wp-admin/authorize-application.php"


def test_a_site_with_plain_permalinks_is_found_by_index_php(server):
    server.replies["/index.php?rest_route=/"] = Reply(200, index())

    assert not discover(server.url, None, None).address.has_pretty_permalinks


def test_a_site_in_a_folder_keeps_its_path(server):
    server.replies["/blog/wp-json/"] = Reply(200, index(home="{url}/blog"))

    assert discover(f"{server.url}/blog/", None, None).address.url == f"{server.url}/blog"


@pytest.mark.parametrize("copied", ["/wp-admin/users.php?role=author#top", "/wp-json/wp/v2/", "/wp-login.php", "/"])
def test_an_address_copied_from_a_browser_means_its_site(server, copied):
    server.replies["/wp-json/"] = Reply(200, index())

    assert discover(server.url + copied, None, None).address.url == server.url


def test_a_site_that_answers_elsewhere_is_asked_there_by_its_own_name(server):
    server.replies["/blog/wp-json/"] = Reply(200, index(home="https://www.example.com/blog"))

    found = discover("https://www.example.com/blog", server.url, None)

    assert found.address == SiteAddress("https://www.example.com/blog", f"{server.url}/blog", True)
    assert server.seen[0].headers["Host"] == "www.example.com"
    assert server.seen[0].headers["X-Forwarded-Proto"] == "https"


def test_over_tls_the_certificate_has_to_be_for_the_sites_own_name(start, authority):
    server = start(tls_of(authority, "www.example.com"))
    server.replies["/wp-json/"] = Reply(200, index(home="https://www.example.com"))

    found = discover("https://www.example.com", server.url, authority.ca_file)

    assert found.address.upstream_url == server.url


def test_an_index_without_an_authorize_page_is_still_a_site(server):
    server.replies["/wp-json/"] = Reply(200, index(authentication={"application-passwords": {}}))

    assert discover(server.url, None, None).authorize_url is None


# -- UNREACHABLE ------------------------------------------------------------------------------------------------------


def test_an_unknown_host_name_is_said_to_be_unknown():
    error = diagnosis("https://no-such-site.invalid")

    assert error.problem is SiteProblem.UNREACHABLE
    assert error.facts == "The host name of https://no-such-site.invalid is not known here."
    assert "spelling" in error.remedy


def test_a_port_where_nothing_listens_is_said_to_be_closed():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = diagnosis(url)

    assert error.problem is SiteProblem.UNREACHABLE
    assert error.facts == f"Nothing accepts connections at {url} (Connection refused)."
    assert "Check that the web server runs" in error.remedy


def test_a_site_that_stays_silent_is_said_to_be_overloaded():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        error = problem_of(lambda: discover(url, None, None, read_timeout_seconds=0.05))

    assert error.problem is SiteProblem.UNREACHABLE
    assert error.facts == f"{url} took the request and did not answer in time."
    assert "overloaded" in error.remedy


def test_an_answer_that_breaks_off_points_to_the_error_log(server):
    server.replies["/wp-json/"] = Reply(200, index(), {"Content-Length": "100000"})

    error = diagnosis(server.url)

    assert error.problem is SiteProblem.UNREACHABLE
    assert "broke off its answer" in error.facts
    assert "error log" in error.remedy


def test_https_where_only_http_is_served_is_told_apart(server):
    error = diagnosis(f"https://{server.host}")

    assert error.problem is SiteProblem.UNREACHABLE
    assert "not with TLS" in error.facts
    assert "http://" in error.remedy


def test_where_a_site_answers_elsewhere_both_addresses_are_named():
    error = diagnosis("https://www.example.com", upstream_url="http://no-such-host.invalid:8080")

    assert "http://no-such-host.invalid:8080 (for https://www.example.com)" in error.facts


# -- WRONG_CERTIFICATE ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Authority:
    ca: trustme.CA
    ca_file: Path


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    ca = trustme.CA()
    ca_file = tmp_path_factory.mktemp("authority") / "ca.pem"
    ca.cert_pem.write_to_path(str(ca_file))
    return Authority(ca, ca_file)


def tls_of(authority: Authority, name: str, **options: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.ca.issue_cert(name, **options).configure_cert(context)
    return context


def test_a_private_authority_is_trusted_once_it_is_named(start, authority):
    server = start(tls_of(authority, "127.0.0.1"))
    server.replies["/wp-json/"] = Reply(200, index())

    assert discover(server.url, None, authority.ca_file).address.url == server.url


def test_an_unknown_authority_leads_to_the_setting(start, authority):
    server = start(tls_of(authority, "127.0.0.1"))

    error = diagnosis(server.url)

    assert error.problem is SiteProblem.WRONG_CERTIFICATE
    assert "authority that this machine does not trust" in error.facts
    assert "`upstream_ca_file`" in error.remedy


def test_an_expired_certificate_has_to_be_renewed(start, authority):
    long_ago = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    server = start(tls_of(authority, "127.0.0.1", not_after=long_ago))

    error = diagnosis(server.url, ca_file=authority.ca_file)

    assert error.problem is SiteProblem.WRONG_CERTIFICATE
    assert error.facts == f"The certificate of {server.url} has expired."
    assert error.remedy == "Renew it at the web server."


def test_a_certificate_of_another_host_is_told_apart(start, authority):
    server = start(tls_of(authority, "other.example.com"))

    error = diagnosis(server.url, ca_file=authority.ca_file)

    assert error.problem is SiteProblem.WRONG_CERTIFICATE
    assert "a certificate of another host" in error.facts
    assert "Write the address that the certificate is for" in error.remedy


def test_a_file_without_a_certificate_is_named(tmp_path):
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text("not a certificate")

    error = diagnosis("https://www.example.com", ca_file=ca_file)

    assert error.problem is SiteProblem.WRONG_CERTIFICATE
    assert str(ca_file) in error.facts
    assert "-----BEGIN CERTIFICATE-----" in error.remedy


# -- NOT_WORDPRESS ----------------------------------------------------------------------------------------------------


def test_a_site_of_other_software_is_no_wordpress(server):
    error = diagnosis(server.url)

    assert error.problem is SiteProblem.NOT_WORDPRESS
    assert error.facts == (
        f"No WordPress was found at {server.url}: "
        f"GET {server.url}/wp-json/ answers 404 with a page instead of JSON and "
        f"GET {server.url}/index.php?rest_route=/ answers 404 with a page instead of JSON."
    )
    assert "with its folder" in error.remedy


@pytest.mark.parametrize(
    "content",
    [{"status": "ok"}, [], "plain text", {"namespaces": ["wc/v3"], "routes": {}}, {"namespaces": ["wp/v2"]}],
    ids=["another API", "a list", "no JSON", "no wp/v2", "no routes"],
)
def test_another_answer_with_200_is_no_wordpress(server, content):
    server.replies["/wp-json/"] = Reply(200, content)

    assert diagnosis(server.url).problem is SiteProblem.NOT_WORDPRESS


@pytest.mark.parametrize("typed", ["", "  ", "ftp://example.com", "https://", "https://[", "my site", "https://x:port"])
def test_what_is_no_address_is_said_before_anything_is_asked(typed):
    error = diagnosis(typed)

    assert error.problem is SiteProblem.NOT_WORDPRESS
    assert "is not the address of a site" in error.facts


def test_a_password_in_the_address_is_refused_and_not_shown():
    error = diagnosis("https://admin:hunter2@example.com")

    assert "hunter2" not in str(error)
    assert "without user name and password" in error.remedy


def test_an_upstream_address_with_another_path_is_refused():
    error = diagnosis("https://www.example.com/blog", upstream_url="http://127.0.0.1/other")

    assert "has another path" in error.facts


# -- REST_BLOCKED -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403])
def test_a_plugin_that_keeps_visitors_from_the_rest_api_is_quoted(server, status):
    message = "<strong>DRA</strong>: Only authenticated users can access the REST API."
    server.replies["/wp-json/"] = Reply(status, {"code": "rest_cannot_access", "message": message, "data": {}})

    error = diagnosis(server.url)

    assert error.problem is SiteProblem.REST_BLOCKED
    assert f"{status} (rest_cannot_access): DRA: Only authenticated users can access the REST API." in error.facts
    assert "look for a plugin that restricts the REST API" in error.remedy


def test_a_rest_api_that_is_switched_off_is_blocked_and_not_missing(server):
    message = "The REST API is disabled."
    server.replies["/wp-json/"] = Reply(404, {"code": "rest_disabled", "message": message, "data": {"status": 404}})

    error = diagnosis(server.url)

    assert error.problem is SiteProblem.REST_BLOCKED
    assert "rest_disabled" in error.facts


def test_a_page_of_a_firewall_is_recognized(server):
    server.replies["/wp-json/"] = Reply(403, A_PAGE)

    error = diagnosis(server.url)

    assert error.problem is SiteProblem.REST_BLOCKED
    assert "403 with a page instead of JSON" in error.facts
    assert "firewall" in error.remedy


def test_a_password_of_the_web_server_is_recognized(server):
    server.replies["/wp-json/"] = Reply(401, A_PAGE, {"WWW-Authenticate": 'Basic realm="staging"'})

    error = diagnosis(server.url)

    assert error.problem is SiteProblem.REST_BLOCKED
    assert "asks for a password of the web server's own" in error.facts
    assert "password on the web server" in error.remedy


@pytest.mark.parametrize(
    "place", ["/", "/wp-login.php?redirect_to=%2Fwp-json%2F", "https://login.example.com/saml"], ids=str
)
def test_a_redirect_to_a_wall_is_no_new_address(server, place):
    server.replies["/wp-json/"] = Reply(302, "", {"Location": place})

    error = diagnosis(server.url)

    assert error.problem is SiteProblem.REST_BLOCKED
    assert "with a redirect to" in error.facts
    assert "forces a login" in error.remedy


def test_a_blocked_path_does_not_matter_where_the_other_works(server):
    server.replies["/wp-json/"] = Reply(403, A_PAGE)
    server.replies["/index.php?rest_route=/"] = Reply(200, index())

    assert not discover(server.url, None, None).address.has_pretty_permalinks


# -- MOVED ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("location", "right"),
    [
        ("https://{host}/wp-json/", "https://{host}"),
        ("https://{host}/", "https://{host}"),
        ("https://www.example.com/wp-json/", "https://www.example.com"),
        ("/blog/wp-json/", "http://{host}/blog"),
    ],
    ids=["to https", "to https and the front page", "to another host", "into a folder"],
)
def test_a_redirect_tells_the_right_address(server, location, right):
    server.replies["/wp-json/"] = Reply(301, "", {"Location": location.format(host=server.host)})

    error = diagnosis(server.url)

    assert error.problem is SiteProblem.MOVED
    assert "redirects to" in error.facts
    assert f"`app-connect connect {right.format(host=server.host)}`" in error.remedy


def test_the_address_in_the_index_counts_where_nothing_redirects(server):
    server.replies["/wp-json/"] = Reply(200, index(home="https://www.example.com"))

    error = diagnosis(server.url)

    assert error.problem is SiteProblem.MOVED
    assert error.facts == f"The WordPress at {server.url} says that its address is https://www.example.com."
    assert "`app-connect connect https://www.example.com`" in error.remedy


def test_the_remedy_keeps_the_upstream_address(server):
    server.replies["/wp-json/"] = Reply(200, index(home="https://www.example.com"))

    error = diagnosis("https://example.com", upstream_url=server.url)

    assert error.problem is SiteProblem.MOVED
    assert f"`app-connect connect https://www.example.com --upstream {server.url}`" in error.remedy


def test_a_call_that_is_redirected_later_tells_the_right_address(server):
    server.replies[ME] = Reply(301, "", {"Location": "https://www.example.com" + ME})

    error = problem_of(lambda: server.site().current_user(ADMIN))

    assert error.problem is SiteProblem.MOVED
    assert "`app-connect connect https://www.example.com`" in error.remedy


# -- NO_HTTPS and APPLICATION_PASSWORDS_OFF ---------------------------------------------------------------------------

HTTPS_HOME = {"home": "https://www.example.com", "url": "https://www.example.com", "authentication": []}


def test_a_site_over_http_is_told_to_use_https(server):
    server.replies["/wp-json/"] = Reply(200, index(authentication=[]))

    error = diagnosis(server.url)

    assert error.problem is SiteProblem.NO_HTTPS
    assert f"{server.url} is served over http." in error.facts
    assert f"must be https://{server.host}" in error.remedy
    assert "define('WP_ENVIRONMENT_TYPE', 'local');" in error.remedy
    assert "`wp_is_application_passwords_available`" in error.remedy


def test_a_site_that_does_not_know_of_its_https_is_told_the_line_for_wp_config(start, authority):
    server = start(tls_of(authority, "127.0.0.1"))
    server.replies["/wp-json/"] = Reply(200, index(home=f"http://{server.host}", authentication=[]))

    error = diagnosis(server.url, ca_file=authority.ca_file)

    assert error.problem is SiteProblem.NO_HTTPS
    assert f"{server.url} believes to be http://{server.host}." in error.facts
    assert "$_SERVER['HTTPS'] = 'on';" in error.remedy
    assert f"must be {server.url}" in error.remedy


@pytest.mark.parametrize(
    "location",
    [
        "https://www.example.com/wp-admin/authorize-application.php",
        "https://www.example.com/wp-login.php?redirect_to=http%3A%2F%2Fwww.example.com%2Fwp-admin%2F&reauth=1",
    ],
    ids=["sent to https again", "sent to log in from http"],
)
def test_php_without_https_is_told_from_passwords_switched_off(server, location):
    server.replies["/wp-json/"] = Reply(200, index(**HTTPS_HOME))
    server.replies["/wp-admin/authorize-application.php"] = Reply(302, "", {"Location": location})

    error = diagnosis("https://www.example.com", upstream_url=server.url)

    assert error.problem is SiteProblem.NO_HTTPS
    assert f"PHP does not see https when asked at {server.url}" in error.facts


def test_passwords_switched_off_by_a_plugin_lead_to_its_filter(server):
    back = "redirect_to=https%3A%2F%2Fwww.example.com%2Fwp-admin%2F&reauth=1"
    log_in = Reply(302, "", {"Location": f"https://www.example.com/wp-login.php?{back}"})
    server.replies["/wp-json/"] = Reply(200, index(**HTTPS_HOME))
    server.replies["/wp-admin/authorize-application.php"] = log_in

    error = diagnosis("https://www.example.com", upstream_url=server.url)

    assert error.problem is SiteProblem.APPLICATION_PASSWORDS_OFF
    assert "security plugin" in error.remedy
    assert error.remedy.endswith("the filter `wp_is_application_passwords_available`.")


def test_where_wp_admin_is_hidden_both_causes_are_named(server):
    server.replies["/wp-json/"] = Reply(200, index(**HTTPS_HOME))

    error = diagnosis("https://www.example.com", upstream_url=server.url)

    assert error.problem is SiteProblem.APPLICATION_PASSWORDS_OFF
    assert "`wp_is_application_passwords_available`" in error.remedy
    assert "$_SERVER['HTTPS'] = 'on';" in error.remedy


def test_passwords_switched_off_later_are_found_by_the_next_call(server):
    disabled = {"code": "application_passwords_disabled", "message": "Not available.", "data": {"status": 501}}
    server.replies["/wp-json/wp/v2/users/2/application-passwords"] = Reply(501, disabled)

    error = problem_of(lambda: server.site().find_application_password(ADMIN, 2, app_id="x"))

    assert error.problem is SiteProblem.APPLICATION_PASSWORDS_OFF


# -- AUTHORIZATION_DROPPED and WRONG_CREDENTIAL -----------------------------------------------------------------------


def test_a_credential_that_wordpress_does_not_see_names_both_causes_and_their_remedies(server):
    server.replies["/wp-json/"] = Reply(200, index())
    server.replies[ME] = Reply(401, NOT_LOGGED_IN)

    error = problem_of(lambda: server.site().current_user(ADMIN))

    assert error.problem is SiteProblem.AUTHORIZATION_DROPPED
    assert "Either the application password is wrong or was revoked, or the web server keeps" in error.facts
    assert "First try a new application password" in error.remedy
    assert 'SetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=$1' in error.remedy
    assert "CGIPassAuth On" in error.remedy
    assert "fastcgi_param HTTP_AUTHORIZATION $http_authorization;" in error.remedy


def test_an_unseen_credential_on_a_site_without_https_is_a_matter_of_https(server):
    server.replies["/wp-json/"] = Reply(200, index(authentication=[]))
    server.replies[ME] = Reply(401, NOT_LOGGED_IN)

    assert problem_of(lambda: server.site().current_user(ADMIN)).problem is SiteProblem.NO_HTTPS


def test_every_401_means_that_wordpress_saw_nobody(server):
    server.replies["/wp-json/"] = Reply(200, index())
    refusal = {"code": "rest_cannot_create_application_passwords", "message": "Sorry.", "data": {"status": 401}}
    server.replies["/wp-json/wp/v2/users/2/application-passwords"] = Reply(401, refusal)

    error = problem_of(lambda: server.site().create_application_password(ADMIN, 2, name="n", app_id="x"))

    assert error.problem is SiteProblem.AUTHORIZATION_DROPPED


@pytest.mark.parametrize("code", ["incorrect_password", "invalid_username", "invalid_email"])
def test_a_wrong_credential_is_quoted_in_wordpresss_words(server, code):
    message = "<strong>Error:</strong> The provided password is an invalid application password."
    server.replies[ME] = Reply(401, {"code": code, "message": message, "data": {"status": 401}})

    error = problem_of(lambda: server.site().current_user(ADMIN))

    assert error.problem is SiteProblem.WRONG_CREDENTIAL
    assert f"admin: “Error: The provided password is an invalid application password” ({code})" in error.facts
    assert "It is not the password used to log in" in error.remedy


def test_no_error_shows_the_password(server):
    server.replies[ME] = Reply(500, A_PAGE)

    error = problem_of(lambda: server.site().current_user(ADMIN))

    assert ADMIN.password.reveal() not in f"{error!r} {error} {error.__cause__!r} {error.__context__!r}"


def test_a_credential_travels_as_basic_in_utf_8(server):
    """RFC 7617 §2.1; WordPress compares the login as UTF-8."""
    server.replies[ME] = Reply(500, A_PAGE)

    problem_of(lambda: server.site().current_user(UpstreamCredential("zoë", Secret("p"))))

    assert server.seen[0].headers["Authorization"] == "Basic em/Dqzpw"


# -- REFUSED and UNEXPECTED_ANSWER ------------------------------------------------------------------------------------


def test_passwords_forbidden_for_a_user_lead_to_their_filter(server):
    """WordPress answers 501 here, which is no failure of the site."""
    refusal = {"code": "application_passwords_disabled_for_user", "message": "Not for you.", "data": {"status": 501}}
    server.replies["/wp-json/wp/v2/users/2/application-passwords"] = Reply(501, refusal)

    error = problem_of(lambda: server.site().create_application_password(ADMIN, 2, name="n", app_id="x"))

    assert error.problem is SiteProblem.REFUSED
    assert "switched off for this user" in error.facts
    assert "`wp_is_application_passwords_available_for_user`" in error.remedy


def test_a_refusal_of_wordpress_is_quoted_with_its_code(server):
    refusal = {"code": "rest_forbidden_context", "message": "Sorry, you are not allowed.", "data": {"status": 403}}
    server.replies["/wp-json/wp/v2/users/7?context=edit"] = Reply(403, refusal)

    error = problem_of(lambda: server.site().find_user(ADMIN, "7"))

    assert error.problem is SiteProblem.REFUSED
    assert "403: “Sorry, you are not allowed” (rest_forbidden_context)" in error.facts
    assert "what plugins forbid" in error.remedy


def test_a_site_cannot_act_on_the_terminal_through_its_messages(server):
    refusal = {"code": "odd\x1b[2J", "message": "Line\nbreak \x1b]0;title\x07 &amp; <b>more</b>", "data": {}}
    server.replies[ME] = Reply(403, refusal)

    error = problem_of(lambda: server.site().current_user(ADMIN))

    assert "“Line break ]0;title & more” (odd[2J)" in error.facts


def test_routes_taken_away_by_a_plugin_are_told_apart(server):
    server.replies[ME] = Reply(404, NO_ROUTE)

    error = problem_of(lambda: server.site().current_user(ADMIN))

    assert error.problem is SiteProblem.REFUSED
    assert "a plugin that removes routes" in error.remedy


def test_a_missing_route_is_not_a_password_that_is_gone(server):
    server.replies["/wp-json/wp/v2/users/2/application-passwords/u"] = Reply(404, NO_ROUTE)

    error = problem_of(lambda: server.site().delete_application_password(ADMIN, 2, "u"))

    assert error.problem is SiteProblem.REFUSED


def test_a_name_that_stays_taken_is_refused(server):
    taken = {"code": "application_password_duplicate_name", "message": "Not unique.", "data": {"status": 409}}
    server.replies["/wp-json/wp/v2/users/2/application-passwords"] = Reply(409, taken)

    error = problem_of(lambda: server.site().create_application_password(ADMIN, 2, name="n", app_id="x"))

    assert error.problem is SiteProblem.REFUSED
    assert "409: “Not unique” (application_password_duplicate_name)" in error.facts
    assert len(server.seen) == 2


def test_a_failing_wordpress_points_to_the_logs(server):
    critical = {"code": "internal_server_error", "message": "There has been a critical error.", "data": {"status": 500}}
    server.replies[ME] = Reply(500, critical)

    error = problem_of(lambda: server.site().current_user(ADMIN))

    assert error.problem is SiteProblem.UNEXPECTED_ANSWER
    assert "500 (internal_server_error)" in error.facts
    assert "error logs of PHP" in error.remedy


def test_a_site_in_maintenance_is_not_taken_for_other_software(server):
    server.replies["/wp-json/"] = Reply(503, "<title>Briefly unavailable for scheduled maintenance.</title>")

    error = diagnosis(server.url)

    assert error.problem is SiteProblem.UNEXPECTED_ANSWER
    assert "503" in error.facts


def test_messages_of_php_before_the_json_lead_to_their_setting(server):
    server.replies[ME] = Reply(200, '<b>Warning</b>: Undefined variable {"id":1}')

    error = problem_of(lambda: server.site().current_user(ADMIN))

    assert error.problem is SiteProblem.UNEXPECTED_ANSWER
    assert "define('WP_DEBUG_DISPLAY', false);" in error.remedy


def test_a_firewall_before_a_call_is_blocked_and_not_a_wrong_credential(server):
    server.replies[ME] = Reply(403, A_PAGE)

    assert problem_of(lambda: server.site().current_user(ADMIN)).problem is SiteProblem.REST_BLOCKED


def test_a_user_without_capabilities_is_no_answer(server):
    server.replies[ME] = Reply(200, {"id": 1, "username": "admin", "roles": []})

    error = problem_of(lambda: server.site().current_user(ADMIN))

    assert error.problem is SiteProblem.UNEXPECTED_ANSWER


def test_an_answer_without_end_is_not_read_to_its_end(server, monkeypatch):
    monkeypatch.setattr("appconnect.site.rest.MAX_ANSWER_BYTES", 1024 * 1024)
    server.replies[ME] = Reply(200, " " * (1024 * 1024 + 1))

    error = problem_of(lambda: server.site().current_user(ADMIN))

    assert error.problem is SiteProblem.UNEXPECTED_ANSWER
    assert "more than 1 MB" in error.facts
