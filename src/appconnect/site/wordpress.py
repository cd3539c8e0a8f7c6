"""`ports.Site` over WordPress's REST API, for the control plane and for checks of credentials."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import quote

from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteAddress, UpstreamCredential
from appconnect.ports import OwnPassword, SiteDescription, SiteProblem, SiteRoute, UpstreamError, WordPressUser
from appconnect.site import index, problems
from appconnect.site.rest import CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, Answer, RestRoot

_USERS_PER_PAGE = 100  # the most that WordPress allows
_MAX_PAGES = 50
_SIMILAR_LOGINS = 3

_WRONG_CREDENTIAL = frozenset(("incorrect_password", "invalid_username", "invalid_email"))
"""How `wp_authenticate_application_password` refuses, where a plugin makes WordPress look early enough to say it."""
_USER_EXISTS = ("existing_user_login", "existing_user_email")  # which WordPress sends with 500
_USER_IS_GONE = "rest_user_invalid_id"
_NAME_IS_TAKEN = "application_password_duplicate_name"
_PASSWORD_IS_GONE = "rest_application_password_not_found"  # noqa: S105 - WordPress's name for an error


class WordPressSite:
    """`ports.Site`. It keeps no connection and no state, and may be used from several threads."""

    def __init__(
        self,
        address: SiteAddress,
        ca_file: Path | None,
        *,
        connect_timeout_seconds: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
    ) -> None:
        self._root = RestRoot(
            address,
            ca_file,
            connect_timeout_seconds=connect_timeout_seconds,
            read_timeout_seconds=read_timeout_seconds,
        )

    def describe(self) -> SiteDescription:
        """The site as its index shows it now."""
        return index.describe(self._root)

    # -- users --------------------------------------------------------------------------------------------------------

    def current_user(self, credential: UpstreamCredential) -> WordPressUser:
        """Whom the credential stands for, with roles and capabilities as they are now."""
        answer = self._ask("GET", "/wp/v2/users/me", credential, query={"context": "edit"})
        return _user(answer, answer.content)

    def find_user(self, administrator: UpstreamCredential, wanted: str) -> WordPressUser:
        """The user with this ID, e-mail address or login; logins and addresses as WordPress takes them, in any case."""
        wanted, tried = wanted.strip(), []
        if wanted.isascii() and wanted.isdigit():
            tried.append("ID")
            if user := self._user_by_id(administrator, wanted):
                return user
        if "@" in wanted:
            tried.append("e-mail address")
            for user in self._search(administrator, wanted):
                if user.email.casefold() == wanted.casefold():
                    return user
        tried.append("user name")
        # A search for text with `@` looks at addresses only; a login may have one, and is found by what precedes it.
        for user in self._search(administrator, wanted.partition("@")[0] or wanted):
            if user.login.casefold() == wanted.casefold():
                return user
        raise problems.no_such_user(wanted, _listed(tried), self._similar_logins(administrator, wanted))

    def _user_by_id(self, administrator: UpstreamCredential, user_id: str) -> WordPressUser | None:
        answer = self._ask(
            "GET", f"/wp/v2/users/{user_id}", administrator, query={"context": "edit"}, tolerated=(_USER_IS_GONE,)
        )
        return None if answer.error_code else _user(answer, answer.content)

    def _search(self, administrator: UpstreamCredential, text: str) -> list[WordPressUser]:
        users: list[WordPressUser] = []
        if not text:
            return users
        for page in range(1, _MAX_PAGES + 1):
            query: dict[str, str | int] = {"search": text, "context": "edit", "per_page": _USERS_PER_PAGE, "page": page}
            answer = self._ask("GET", "/wp/v2/users", administrator, query=query)
            found = _list(answer)
            users += [_user(answer, content) for content in found]
            if len(found) < _USERS_PER_PAGE:
                break
        return users

    def search_users(self, administrator: UpstreamCredential, text: str, *, limit: int) -> list[WordPressUser]:
        """Up to `limit` users whose login, name or address has the text in it, in WordPress's order; all for none."""
        query: dict[str, str | int] = {"context": "edit", "per_page": min(limit, _USERS_PER_PAGE)}
        if text.strip():
            query["search"] = text.strip()
        answer = self._ask("GET", "/wp/v2/users", administrator, query=query)
        return [_user(answer, content) for content in _list(answer)]

    def create_user(
        self, administrator: UpstreamCredential, *, login: str, email: str, password: Secret, role: str
    ) -> WordPressUser:
        """Make a user; `UpstreamError` of kind `USER_EXISTS` where the login is taken."""
        body = {"username": login, "email": email, "password": password.reveal(), "roles": [role]}
        query = {"context": "edit"}
        answer = self._ask("POST", "/wp/v2/users", administrator, query=query, body=body, tolerated=_USER_EXISTS)
        if answer.error_code:
            raise problems.user_exists(login)
        return _user(answer, answer.content)

    def set_role(self, administrator: UpstreamCredential, user_id: int, role: str) -> WordPressUser:
        """Give a user one role instead of those it has."""
        route, body = f"/wp/v2/users/{user_id}", {"roles": [role]}
        answer = self._ask("POST", route, administrator, query={"context": "edit"}, body=body)
        return _user(answer, answer.content)

    def delete_user(self, administrator: UpstreamCredential, user_id: int) -> None:
        """Delete a user that has made nothing; where it is gone already, that is as good."""
        query: dict[str, str | int] = {"force": "true", "reassign": "false"}
        self._ask("DELETE", f"/wp/v2/users/{user_id}", administrator, query=query, tolerated=(_USER_IS_GONE,))

    def _similar_logins(self, administrator: UpstreamCredential, wanted: str) -> list[str]:
        """Those that begin alike, the most similar first."""
        logins = {user.login.casefold(): user.login for user in self._search(administrator, wanted[:2])}
        close = get_close_matches(wanted.partition("@")[0].casefold(), logins, n=_SIMILAR_LOGINS)
        return [logins[key] for key in close]

    # -- application passwords ----------------------------------------------------------------------------------------

    def current_password(self, credential: UpstreamCredential) -> OwnPassword:
        """The application password that the credential is."""
        answer = self._ask("GET", "/wp/v2/users/me/application-passwords/introspect", credential)
        return OwnPassword(_text(answer, answer.content, "uuid"), str(answer.content.get("app_id", "")))

    def create_application_password(
        self, administrator: UpstreamCredential, user_id: int, *, name: str, app_id: str
    ) -> tuple[str, Secret]:
        """Make one for a user; its uuid, and the password as it is shown this once (without its blanks).

        A user has no two of one name: where the name is taken, it gets the beginning of the `app_id` after it.
        """
        route = f"/wp/v2/users/{user_id}/application-passwords"
        for distinct_name in (name, f"{name} ({app_id[:8]})"):
            body = {"name": distinct_name, "app_id": app_id}
            answer = self._ask("POST", route, administrator, body=body, tolerated=(_USER_IS_GONE, _NAME_IS_TAKEN))
            if answer.error_code != _NAME_IS_TAKEN:
                break
        if answer.error_code == _USER_IS_GONE:
            raise problems.no_such_user(str(user_id), "ID", ())
        if answer.error_code:
            raise self._refusal(answer, administrator)
        password = Secret("".join(_text(answer, answer.content, "password").split()))
        return _text(answer, answer.content, "uuid"), password

    def find_application_password(self, administrator: UpstreamCredential, user_id: int, *, app_id: str) -> str | None:
        """The uuid of the user's password with this `app_id`; None where there is none, or no such user any more."""
        route = f"/wp/v2/users/{user_id}/application-passwords"
        answer = self._ask("GET", route, administrator, tolerated=(_USER_IS_GONE,))
        if answer.error_code:
            return None
        passwords = _list(answer)
        return next((_text(answer, one, "uuid") for one in passwords if _has_app_id(one, app_id)), None)

    def delete_application_password(self, administrator: UpstreamCredential, user_id: int, uuid: str) -> None:
        """Delete it; where it or its user is gone already, that is as good."""
        route = f"/wp/v2/users/{user_id}/application-passwords/{quote(uuid, safe='')}"
        self._ask("DELETE", route, administrator, tolerated=(_USER_IS_GONE, _PASSWORD_IS_GONE))

    # -- routes -------------------------------------------------------------------------------------------------------

    def routes(self) -> tuple[SiteRoute, ...]:
        """Every route that the site's index lists."""
        return index.read_routes(index.ask_for_index(self._root))

    def permitted_methods(self, credential: UpstreamCredential, route: str) -> frozenset[str] | None:
        """What WordPress would permit the user at a route, without running it; None where it does not say.

        `OPTIONS` runs the permission callbacks (`rest_send_allow_header`). Something before WordPress may answer
        instead of it, and a route that does not exist has no answer.
        """
        answer = self._root.ask("OPTIONS", route, credential=credential)
        if answer.status != 200 or not answer.is_json:
            return None
        return frozenset(method.strip().upper() for method in (answer.allow or "").split(",") if method.strip())

    def example_id(self, credential: UpstreamCredential, collection: str) -> str | None:
        """What one of a collection's objects is called in a path; None where the user sees none."""
        answer = self._root.ask("GET", collection, credential=credential, query={"per_page": 1})
        if answer.status != 200:
            return None
        if isinstance(answer.content, list):
            first = answer.content[0] if answer.content else None
            found = first.get("id", first.get("slug")) if isinstance(first, dict) else None
        else:  # types, statuses and taxonomies: an object by name
            names = list(answer.content) if isinstance(answer.content, dict) else []
            found = names[0] if names and all(isinstance(answer.content[name], dict) for name in names) else None
        return str(found) if isinstance(found, (int, str)) and "/" not in str(found) else None

    # -- asking -------------------------------------------------------------------------------------------------------

    def _ask(
        self,
        method: str,
        route: str,
        credential: UpstreamCredential,
        *,
        query: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        tolerated: tuple[str, ...] = (),
    ) -> Answer:
        """An answer with what was asked for, or with one of the error codes in `tolerated`."""
        answer = self._root.ask(method, route, query=query, credential=credential, body=body)
        is_expected = answer.is_json and 200 <= answer.status < 300
        if is_expected or answer.error_code in tolerated:
            return answer
        raise self._refusal(answer, credential)

    def _refusal(self, answer: Answer, credential: UpstreamCredential) -> UpstreamError:
        """What an answer that is none means."""
        index.reject_moved(self._root, answer)
        code, status, message = answer.error_code, answer.status, answer.error_message
        if code is None:
            if status in (401, 403):
                return index.no_index(self._root.address.url, answer)
            return problems.unexpected(answer.what, index.how(answer))
        if code in _WRONG_CREDENTIAL:
            return problems.wrong_credential(credential.login, code, message)
        if code == "application_passwords_disabled" or status == 401:
            return self._why_unseen(answer, credential, code)
        if status < 500 or code == "application_passwords_disabled_for_user":  # WordPress sends it with 501
            return problems.refused(answer.what, status, code, message)
        return problems.unexpected(answer.what, index.how(answer))

    def _why_unseen(self, answer: Answer, credential: UpstreamCredential, code: str) -> UpstreamError:
        """WordPress answers 401 to nobody and 403 to somebody; the index tells where it would recognize nobody at all.

        Core looks at a credential only after `rest_authentication_errors` has run, so its verdict on a wrong one is
        lost, and what comes is the answer to a request without any: a wrong password and a lost header look alike.
        """
        try:
            self.describe()
        except UpstreamError as error:
            if error.problem in (SiteProblem.NO_HTTPS, SiteProblem.APPLICATION_PASSWORDS_OFF):
                return error
        if code == "application_passwords_disabled":
            return problems.application_passwords_off(f"{answer.what} answers {code}", is_https_certain=False)
        return problems.credential_unseen(answer.what, credential.login, code)


# -- reading ----------------------------------------------------------------------------------------------------------


def _user(answer: Answer, content: Any) -> WordPressUser:
    try:
        return WordPressUser(
            id=int(content["id"]),
            login=str(content["username"]),
            email=str(content.get("email", "")),
            name=str(content.get("name", "")),
            roles=frozenset(map(str, content["roles"])),
            capabilities=frozenset(_held(content["capabilities"])),
            signs_of_a_person=tuple(_signs_of_a_person(content)),
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise problems.unexpected(answer.what, "with a user that lacks a name, roles or capabilities") from None


def _held(capabilities: Any) -> list[str]:
    """Those that are true; PHP writes an empty map as a list."""
    return [name for name, is_held in capabilities.items() if is_held] if capabilities else []


def _signs_of_a_person(content: Mapping[str, Any]) -> list[str]:
    signs = []
    if content.get("first_name") and content.get("last_name"):
        signs.append("has a first and a last name")
    meta = content.get("meta")
    if isinstance(meta, dict) and meta.get("persisted_preferences"):
        signs.append("has used the block editor")
    return signs


def _list(answer: Answer) -> list[Any]:
    if not isinstance(answer.content, list):
        raise problems.unexpected(answer.what, "with something that is not a list")
    return answer.content


def _text(answer: Answer, content: Any, key: str) -> str:
    value = content.get(key) if isinstance(content, dict) else None
    if not isinstance(value, str) or not value:
        raise problems.unexpected(answer.what, f"without {key}")
    return value


def _has_app_id(content: Any, app_id: str) -> bool:
    return isinstance(content, dict) and str(content.get("app_id", "")).lower() == app_id.lower()


def _listed(words: list[str]) -> str:
    return " or the ".join(words)
