"""`WordPressSite` and `discover` against real WordPress: the site, its users and application passwords."""

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteAddress, UpstreamCredential
from appconnect.ports import SiteProblem, UpstreamError
from appconnect.site.index import discover
from appconnect.site.wordpress import WordPressSite
from demo.wordpress.install import create_site, write_plugin
from demo.wordpress.nginx import Certificate
from demo.wordpress.packages import Release
from demo.wordpress.servers import RunningSite, nginx_fpm
from demo.wordpress.site import (
    ADMIN,
    EnvironmentType,
    NewUser,
    Permalinks,
    User,
    create_application_password,
    create_users,
    keep,
    reset,
)

APP_ID = "6f1c2f0e-5d3a-4c8e-9a57-0d9d3c1b7a42"
OTHER_APP_ID = "0b7d9d64-1c55-4f0e-8a31-7f2f5a0c9e11"
WRONG = UpstreamCredential("admin", Secret("abcdEFGHijklMNOPqrstUVWX"))


@dataclass(frozen=True)
class Cast:
    """A running site, its administrator's credential, and an author who is nobody's login yet."""

    running: RunningSite
    site: WordPressSite
    admin: UpstreamCredential
    author: User

    def has(self, *new: NewUser) -> tuple[User, ...]:
        return create_users(self.running.site, *new)

    def php(self, code: str, **values: object) -> str:
        return self.running.site.php(code, **values)

    def plugin(self, text: str) -> None:
        # A new name each time: PHP's opcache tells two files of one name apart by the second.
        write_plugin(self.running.site, f"test-{secrets.token_hex(4)}.php", f"<?php {text}")


@pytest.fixture(scope="module", params=Release, ids=str)
def installed(request, tmp_path_factory) -> Iterator[Cast]:
    site = create_site(tmp_path_factory.mktemp("site") / "site", request.param)
    (author,) = create_users(site, NewUser("author"))
    admin = credential_of(site, ADMIN)
    keep(site)
    with nginx_fpm(site) as running:
        address = SiteAddress(running.url, running.url, has_pretty_permalinks=True)
        yield Cast(running, WordPressSite(address, None), admin, author)


@pytest.fixture
def wordpress(installed) -> Iterator[Cast]:
    """The site as installed; what a test does to it is undone."""
    yield installed
    reset(installed.running.site)
    shutil.rmtree(installed.running.site.content / "mu-plugins", ignore_errors=True)


@pytest.fixture
def serve(tmp_path) -> Iterator[Callable[..., RunningSite]]:
    """Bring up a site of another kind."""
    with ExitStack() as servers:

        def start(environment=EnvironmentType.LOCAL, permalinks=Permalinks.PRETTY, plugin="", **options):
            site = create_site(
                tmp_path / secrets.token_hex(4),
                Release.V6_7_ALPHA,
                permalinks=permalinks,
                environment=environment,
                plugins={"test.php": f"<?php {plugin}"},
            )
            return servers.enter_context(nginx_fpm(site, **options))

        yield start


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Certificate:
    folder = tmp_path_factory.mktemp("certificate")
    authority, server = trustme.CA(), Certificate(folder / "chain.pem", folder / "key.pem", folder / "ca.pem")
    issued = authority.issue_cert("localhost", "www.example.com")
    authority.cert_pem.write_to_path(str(server.authority))
    issued.private_key_pem.write_to_path(str(server.key))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(server.chain), append=True)
    return server


def credential_of(site: Any, user: User) -> UpstreamCredential:
    made = create_application_password(site, user)
    return UpstreamCredential(user.login, Secret(made.password))


def problem_of(call: Callable[[], object]) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        call()
    return raised.value


def diagnosis(url: str, upstream_url: str | None = None, ca_file: Path | None = None) -> UpstreamError:
    return problem_of(lambda: discover(url, upstream_url, ca_file))


# -- finding the site -------------------------------------------------------------------------------------------------


def test_a_site_is_found_and_describes_itself(wordpress):
    url = wordpress.running.url

    found = discover(url, None, None)

    assert found.address == SiteAddress(url, url, has_pretty_permalinks=True)
    assert found.name == "App Connect demo"
    assert found.authorize_url == f"{url}/wp-admin/authorize-application.php"
    assert wordpress.site.describe() == found


def test_a_site_with_plain_permalinks_is_found_and_works(serve):
    running = serve(permalinks=Permalinks.PLAIN)

    found = discover(running.url, None, None)

    assert not found.address.has_pretty_permalinks
    site, admin = WordPressSite(found.address, None), credential_of(running.site, ADMIN)
    uuid, _ = site.create_application_password(admin, ADMIN.id, name="App Connect: x", app_id=APP_ID)
    site.delete_application_password(admin, ADMIN.id, uuid)
    assert site.find_user(admin, "admin").id == ADMIN.id
    assert site.find_application_password(admin, ADMIN.id, app_id=APP_ID) is None


def test_a_production_site_over_tls_is_found_and_recognizes_its_administrator(serve, certificate):
    running = serve(EnvironmentType.PRODUCTION, certificate=certificate)

    found = discover(running.url, None, certificate.authority)

    admin = credential_of(running.site, ADMIN)
    assert found.authorize_url == f"{running.url}/wp-admin/authorize-application.php"
    assert WordPressSite(found.address, certificate.authority).current_user(admin).login == "admin"


def test_a_production_site_behind_a_terminator_is_asked_at_its_inner_address(serve):
    running = serve(EnvironmentType.PRODUCTION, home="https://www.example.com")

    found = discover("https://www.example.com", running.url, None)

    admin = credential_of(running.site, ADMIN)
    assert found.address == SiteAddress("https://www.example.com", running.url, has_pretty_permalinks=True)
    assert found.authorize_url == "https://www.example.com/wp-admin/authorize-application.php"
    assert WordPressSite(found.address, None).current_user(admin).login == "admin"


def test_a_site_with_another_home_names_it(serve):
    running = serve(home="http://www.example.com")

    error = diagnosis(running.url)

    assert error.problem is SiteProblem.MOVED
    assert "`app-connect connect http://www.example.com`" in error.remedy


def test_a_site_whose_rest_api_a_plugin_closes_is_blocked(serve):
    closing = "add_filter('rest_authentication_errors', fn() => new WP_Error('closed', 'Closed.', ['status' => 401]));"
    running = serve(plugin=closing)

    error = diagnosis(running.url)

    assert error.problem is SiteProblem.REST_BLOCKED
    assert "401 (closed): Closed." in error.facts


# -- application passwords that are off -------------------------------------------------------------------------------


def test_a_production_site_over_http_needs_https(serve):
    running = serve(EnvironmentType.PRODUCTION)

    error = diagnosis(running.url)

    assert error.problem is SiteProblem.NO_HTTPS
    assert "is served over http" in error.facts


def test_php_that_is_not_told_of_https_is_found_though_the_index_says_https(serve, certificate):
    """The index shows the stored addresses; only `auth_redirect` tells what PHP sees."""
    running = serve(EnvironmentType.PRODUCTION, certificate=certificate, says_https=False)

    error = diagnosis(running.url, ca_file=certificate.authority)

    assert error.problem is SiteProblem.NO_HTTPS
    assert "PHP does not see https" in error.facts


def test_an_inner_address_without_https_is_found(serve):
    running = serve(EnvironmentType.PRODUCTION, home="https://www.example.com", says_https=False)

    error = diagnosis("https://www.example.com", running.url)

    assert error.problem is SiteProblem.NO_HTTPS
    assert running.url in error.facts


def test_a_plugin_that_switches_them_off_is_told_apart(serve):
    running = serve(
        EnvironmentType.PRODUCTION,
        home="https://www.example.com",
        plugin="add_filter('wp_is_application_passwords_available', '__return_false');",
    )

    assert diagnosis("https://www.example.com", running.url).problem is SiteProblem.APPLICATION_PASSWORDS_OFF


def test_switched_off_after_the_connection_they_are_found_by_a_failing_credential(serve):
    running = serve(EnvironmentType.PRODUCTION, home="https://www.example.com")
    site = WordPressSite(SiteAddress(running.home, running.url, has_pretty_permalinks=True), None)
    admin = credential_of(running.site, ADMIN)
    write_plugin(
        running.site, "test.php", "<?php add_filter('wp_is_application_passwords_available', '__return_false');"
    )

    assert problem_of(lambda: site.current_user(admin)).problem is SiteProblem.APPLICATION_PASSWORDS_OFF


def test_switched_off_on_a_local_site_both_causes_are_named(wordpress):
    """From outside, a site of type local over http looks like one of type production."""
    wordpress.plugin("add_filter('wp_is_application_passwords_available', '__return_false');")

    error = problem_of(lambda: wordpress.site.current_user(wordpress.admin))

    assert error.problem is SiteProblem.NO_HTTPS
    assert "`wp_is_application_passwords_available`" in error.remedy


# -- credentials ------------------------------------------------------------------------------------------------------


def test_an_administrators_credential_is_recognized(wordpress):
    user = wordpress.site.current_user(wordpress.admin)

    assert {"manage_options", "list_users", "edit_users"} <= user.capabilities
    assert (user.id, user.login, user.email) == (1, "admin", "admin@example.com")
    assert user.roles == {"administrator"}


def test_an_authors_credential_shows_an_authors_power(wordpress):
    user = wordpress.site.current_user(credential_of(wordpress.running.site, wordpress.author))

    assert user.roles == {"author"}
    assert "publish_posts" in user.capabilities
    assert "edit_users" not in user.capabilities


def test_a_capability_that_is_denied_is_none(wordpress):
    wordpress.php("(new WP_User($id))->add_cap('publish_posts', false);", id=wordpress.author.id)

    user = wordpress.site.find_user(wordpress.admin, "author")

    assert "edit_posts" in user.capabilities
    assert "publish_posts" not in user.capabilities


def test_a_wrong_password_cannot_be_told_from_a_header_that_is_dropped(wordpress, serve):
    """WordPress answers both alike to the byte; so one message names both causes."""
    dropping = serve(passes_authorization=False)
    dropped = WordPressSite(discover(dropping.url, None, None).address, None)
    right = credential_of(dropping.site, ADMIN)

    wrong_password = problem_of(lambda: wordpress.site.current_user(WRONG))
    no_header = problem_of(lambda: dropped.current_user(right))

    assert wrong_password.problem is no_header.problem is SiteProblem.AUTHORIZATION_DROPPED
    assert wrong_password.remedy == no_header.remedy
    assert wrong_password.facts == no_header.facts.replace(dropping.url, wordpress.running.url)


def test_a_wrong_password_is_told_where_a_plugin_looks_early(wordpress):
    wordpress.plugin(
        "add_filter('rest_authentication_errors', function ($e) { wp_get_current_user(); return $e; }, 5);"
    )

    error = problem_of(lambda: wordpress.site.current_user(WRONG))

    assert error.problem is SiteProblem.WRONG_CREDENTIAL
    assert "(incorrect_password)" in error.facts


def test_an_unknown_login_is_told_where_a_plugin_looks_early(wordpress):
    wordpress.plugin(
        "add_filter('rest_authentication_errors', function ($e) { wp_get_current_user(); return $e; }, 5);"
    )

    error = problem_of(lambda: wordpress.site.current_user(UpstreamCredential("nobody", WRONG.password)))

    assert error.problem is SiteProblem.WRONG_CREDENTIAL
    assert "(invalid_username)" in error.facts


# -- users ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["author", "AUTHOR", "author@example.com", "Author@Example.com", " author "])
def test_a_user_is_found_by_login_and_address_in_any_case(wordpress, wanted):
    assert wordpress.site.find_user(wordpress.admin, wanted).id == wordpress.author.id


def test_a_user_is_found_by_id(wordpress):
    assert wordpress.site.find_user(wordpress.admin, str(wordpress.author.id)).login == "author"


def test_a_part_of_a_login_is_not_a_user(wordpress):
    error = problem_of(lambda: wordpress.site.find_user(wordpress.admin, "autho"))

    assert error.problem is SiteProblem.NO_SUCH_USER
    assert error.facts == "The site has no user with the user name 'autho'."
    assert error.remedy.startswith("Similar user names are: author.")


def test_a_misspelled_login_is_answered_with_similar_ones(wordpress):
    wordpress.has(*(NewUser(login) for login in ("sync-orders", "sync-order", "sync-stock", "someone-else")))

    error = problem_of(lambda: wordpress.site.find_user(wordpress.admin, "sync_orders"))

    assert "Similar user names are: sync-orders, sync-order" in error.remedy
    assert "someone-else" not in error.remedy


def test_a_display_name_is_not_a_login(wordpress):
    wordpress.php("wp_update_user(['ID' => $id, 'display_name' => 'backend']);", id=wordpress.author.id)

    assert problem_of(lambda: wordpress.site.find_user(wordpress.admin, "backend")).problem is SiteProblem.NO_SUCH_USER


def test_a_login_of_digits_is_found_where_no_user_has_that_id(wordpress):
    wordpress.has(NewUser("90210"))

    assert wordpress.site.find_user(wordpress.admin, "90210").login == "90210"


def test_a_login_that_looks_like_an_address_is_found(wordpress):
    wordpress.has(NewUser("sync@example.net", email="else@example.com"))

    assert wordpress.site.find_user(wordpress.admin, "sync@example.net").email == "else@example.com"


def test_what_was_tried_is_named(wordpress):
    error = problem_of(lambda: wordpress.site.find_user(wordpress.admin, "nobody@example.com"))

    assert error.facts == "The site has no user with the e-mail address or the user name 'nobody@example.com'."


def test_a_user_beyond_the_first_hundred_is_found(wordpress):
    wordpress.has(*(NewUser(f"a-worker-{number:03}") for number in range(105)), NewUser("worker"))

    assert wordpress.site.find_user(wordpress.admin, "worker").login == "worker"


def test_a_service_user_shows_no_signs_of_a_person(wordpress):
    assert wordpress.site.find_user(wordpress.admin, "author").signs_of_a_person == ()


def test_a_full_name_and_use_of_the_editor_are_signs_of_a_person(wordpress):
    wordpress.has(NewUser("ada", first_name="Ada", last_name="Lovelace"))
    wordpress.php(
        "update_user_meta(get_user_by('login', 'ada')->ID, 'wp_persisted_preferences', "
        "['core/edit-post' => ['welcomeGuide' => false], '_modified' => '2026-01-01T00:00:00.000Z']);"
    )

    assert wordpress.site.find_user(wordpress.admin, "ada").signs_of_a_person == (
        "has a first and a last name",
        "has used the block editor",
    )


def test_who_may_not_list_users_is_refused_in_wordpresss_words(wordpress):
    author = credential_of(wordpress.running.site, wordpress.author)

    error = problem_of(lambda: wordpress.site.find_user(author, "admin"))

    assert error.problem is SiteProblem.REFUSED
    assert "(rest_forbidden_context)" in error.facts


# -- application passwords --------------------------------------------------------------------------------------------


def test_an_application_password_made_for_a_user_is_that_users_credential(wordpress):
    uuid, password = wordpress.site.create_application_password(
        wordpress.admin, wordpress.author.id, name="App Connect: backend", app_id=APP_ID
    )

    credential = UpstreamCredential("author", password)
    assert len(password.reveal()) == 24
    assert wordpress.site.current_user(credential).id == wordpress.author.id
    assert wordpress.site.current_password(credential).uuid == uuid


def test_an_application_password_is_found_again_by_its_app_id(wordpress):
    site, admin, user_id = wordpress.site, wordpress.admin, wordpress.author.id
    uuid, _ = site.create_application_password(admin, user_id, name="App Connect: backend", app_id=APP_ID)
    other, _ = site.create_application_password(admin, user_id, name="App Connect: backend", app_id=OTHER_APP_ID)

    assert site.find_application_password(admin, user_id, app_id=APP_ID) == uuid
    assert site.find_application_password(admin, user_id, app_id=OTHER_APP_ID) == other


def test_two_of_one_name_are_told_apart_by_their_app_id(wordpress):
    """WordPress refuses a second one of a name with 409, so the lost one would stand in the way of its replacement."""
    site, admin, user_id = wordpress.site, wordpress.admin, wordpress.author.id
    site.create_application_password(admin, user_id, name="App Connect: backend", app_id=APP_ID)
    site.create_application_password(admin, user_id, name="App Connect: backend", app_id=OTHER_APP_ID)

    names = wordpress.php(
        "echo implode(', ', array_column(WP_Application_Passwords::get_user_application_passwords($id), 'name'));",
        id=user_id,
    )
    assert names == f"App Connect: backend, App Connect: backend ({OTHER_APP_ID[:8]})"


def test_a_deleted_application_password_works_no_more_and_may_be_deleted_again(wordpress):
    site, admin, user_id = wordpress.site, wordpress.admin, wordpress.author.id
    uuid, password = site.create_application_password(admin, user_id, name="n", app_id=APP_ID)

    site.delete_application_password(admin, user_id, uuid)
    site.delete_application_password(admin, user_id, uuid)

    assert site.find_application_password(admin, user_id, app_id=APP_ID) is None
    problem_of(lambda: site.current_user(UpstreamCredential("author", password)))


def test_of_a_user_who_is_gone_nothing_is_left_to_find_or_delete(wordpress):
    site, admin, user_id = wordpress.site, wordpress.admin, wordpress.author.id
    uuid, _ = site.create_application_password(admin, user_id, name="n", app_id=APP_ID)
    wordpress.php("require ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user($id);", id=user_id)

    site.delete_application_password(admin, user_id, uuid)

    assert site.find_application_password(admin, user_id, app_id=APP_ID) is None


def test_a_user_who_is_gone_gets_no_application_password(wordpress):
    error = problem_of(
        lambda: wordpress.site.create_application_password(wordpress.admin, 999, name="n", app_id=APP_ID)
    )

    assert error.problem is SiteProblem.NO_SUCH_USER


def test_a_site_that_forbids_them_for_a_user_is_quoted(wordpress):
    wordpress.plugin(
        "add_filter('wp_is_application_passwords_available_for_user', "
        "fn($is, $user) => $user->user_login !== 'author', 10, 2);"
    )

    error = problem_of(
        lambda: wordpress.site.create_application_password(
            wordpress.admin, wordpress.author.id, name="n", app_id=APP_ID
        )
    )

    assert error.problem is SiteProblem.REFUSED
    assert "switched off for this user" in error.facts


def test_a_wrong_credential_deletes_nothing_and_says_so(wordpress):
    uuid, _ = wordpress.site.create_application_password(wordpress.admin, wordpress.author.id, name="n", app_id=APP_ID)

    error = problem_of(lambda: wordpress.site.delete_application_password(WRONG, wordpress.author.id, uuid))

    assert error.problem is SiteProblem.AUTHORIZATION_DROPPED
    assert wordpress.site.find_application_password(wordpress.admin, wordpress.author.id, app_id=APP_ID) == uuid
