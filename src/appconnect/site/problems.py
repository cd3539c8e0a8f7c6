"""What can be wrong with a site, told to its administrator: what happened, where, and what to do."""

import ssl
from collections.abc import Iterable
from pathlib import Path

from urllib3 import exceptions

from appconnect.core.snapshot import SiteAddress
from appconnect.ports import SiteProblem, UpstreamError

HTTPS_LINE = "$_SERVER['HTTPS'] = 'on';"

_KEEP_AUTHORIZATION = (
    'With Apache, add `SetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=$1` or `CGIPassAuth On` to its configuration; '
    "with nginx, add `fastcgi_param HTTP_AUTHORIZATION $http_authorization;` where it hands over to PHP."
)

# The codes of OpenSSL's X509_V_ERR_… (openssl-verification-options(1)).
_EXPIRED, _NOT_YET_VALID, _OTHER_HOST, _OTHER_ADDRESS = 10, 9, 62, 64
_UNKNOWN_AUTHORITY = frozenset((2, 18, 19, 20, 21))

# -- on the way -------------------------------------------------------------------------------------------------------


def of_transport(address: SiteAddress, error: Exception) -> UpstreamError:
    """The problem behind an error of urllib3's, which wraps the socket's or OpenSSL's own."""
    where = _where(address)
    cause = next((link for link in _chain(error) if isinstance(link, ssl.SSLError)), None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _wrong_certificate(address, cause)
    if cause is not None:
        return UpstreamError(
            SiteProblem.UNREACHABLE,
            f"{where} answers, but not with TLS that we understand ({_reason(cause)}).",
            "If the site has no https there, write its address with http://; otherwise look at the web server's TLS.",
        )
    match error:
        case exceptions.NameResolutionError():
            return UpstreamError(
                SiteProblem.UNREACHABLE,
                f"The host name of {where} is not known here.",
                "Check its spelling. If it is right, ask why this machine's DNS does not know it, or give the "
                "internal address at which WordPress can be reached from here (--upstream).",
            )
        case exceptions.ReadTimeoutError():
            return UpstreamError(
                SiteProblem.UNREACHABLE,
                f"{where} took the request and did not answer in time.",
                "Look whether the site is overloaded or its PHP is stuck, then try again.",
            )
        case exceptions.ConnectTimeoutError() if not isinstance(error, exceptions.NewConnectionError):
            facts = f"{where} did not answer in time."
        case exceptions.NewConnectionError():
            facts = f"Nothing accepts connections at {where} ({_reason(_root(error))})."
        case _:
            return UpstreamError(
                SiteProblem.UNREACHABLE,
                f"{where} broke off its answer ({_reason(_root(error))}).",
                "Look into the web server's error log, then try again.",
            )
    return UpstreamError(
        SiteProblem.UNREACHABLE,
        facts,
        "Check that the web server runs, that the port is right, and that no firewall stands between this machine and "
        "the site. Where the site answers elsewhere in the internal network, give that address as well (--upstream).",
    )


def _wrong_certificate(address: SiteAddress, error: ssl.SSLCertVerificationError) -> UpstreamError:
    where = _where(address)
    match error.verify_code:
        case code if code == _EXPIRED:
            facts, remedy = f"The certificate of {where} has expired.", "Renew it at the web server."
        case code if code == _NOT_YET_VALID:
            facts = f"The certificate of {where} is not valid yet."
            remedy = "Check the clocks of the web server and of this machine."
        case code if code in (_OTHER_HOST, _OTHER_ADDRESS):
            facts = f"{where} shows a certificate of another host ({error.verify_message.rstrip('.')})."
            remedy = (
                "Write the address that the certificate is for, or give the web server a certificate for this one. If "
                "the host serves several sites, check that it has one for this name."
            )
        case code if code in _UNKNOWN_AUTHORITY:
            facts = f"The certificate of {where} comes from an authority that this machine does not trust."
            remedy = (
                "If it is your own, name its certificate (a PEM file) with the setting `upstream_ca_file`. If it is a "
                "public one, let the web server send its intermediate certificates too."
            )
        case _:
            facts = f"The certificate of {where} is not accepted: {error.verify_message.rstrip('.')}."
            remedy = "Give the web server a certificate for this host from an authority that this machine trusts."
    return UpstreamError(SiteProblem.WRONG_CERTIFICATE, facts, remedy)


def unusable_ca_file(ca_file: Path, error: OSError) -> UpstreamError:
    """The operator's authority cannot be loaded."""
    return UpstreamError(
        SiteProblem.WRONG_CERTIFICATE,
        f"{ca_file} has no certificate that could be loaded ({_reason(error)}).",
        "Name a PEM file, which begins with -----BEGIN CERTIFICATE-----, with the setting `upstream_ca_file`.",
    )


def too_large(what: str, limit_bytes: int) -> UpstreamError:
    """An answer that does not end."""
    return UpstreamError(
        SiteProblem.UNEXPECTED_ANSWER,
        f"{what} answers with more than {limit_bytes // (1024 * 1024)} MB.",
        "That is no answer of WordPress's REST API. See what serves this path.",
    )


# -- the address and the index ----------------------------------------------------------------------------------------


def not_an_address(text: str) -> UpstreamError:
    """What was typed is not the address of a site."""
    return UpstreamError(
        SiteProblem.NOT_WORDPRESS,
        f"{text!r} is not the address of a site.",
        "Write it as in a browser, without user name and password: https://www.example.com.",
    )


def other_path(url: str, upstream_url: str) -> UpstreamError:
    """The site and where it answers differ in more than the host."""
    return UpstreamError(
        SiteProblem.NOT_WORDPRESS,
        f"The site is {url}, but {upstream_url} has another path.",
        "WordPress has to answer under the same path there. Write scheme, host and port only.",
    )


def not_wordpress(url: str, found: Iterable[str]) -> UpstreamError:
    """Neither place of the index has one."""
    return UpstreamError(
        SiteProblem.NOT_WORDPRESS,
        f"No WordPress was found at {url}: {' and '.join(found)}.",
        "Write the address of the site's front page, with its folder if it lives in one "
        "(https://www.example.com/blog). If that is right, see in a browser whether /wp-json/ below it shows JSON.",
    )


def rest_blocked(what: str, how: str) -> UpstreamError:
    """Something keeps us from the REST API; `how` it answers tells the administrator who."""
    return UpstreamError(
        SiteProblem.REST_BLOCKED,
        f"The REST API is blocked: {what} answers {how}.",
        "Let this machine use /wp-json/: look for a plugin that restricts the REST API or forces a login, a security "
        "plugin or firewall, and a password on the web server.",
    )


def a_gateway(url: str) -> UpstreamError:
    """An App Connect gateway answers there, perhaps this one."""
    return UpstreamError(
        SiteProblem.NOT_WORDPRESS,
        f"{url} is an App Connect gateway, not WordPress.",
        "Write the site's own address. Where the gateway stands in front of it, add the internal address at which "
        "WordPress answers (--upstream).",
    )


def moved(asked: str, right: str, facts: str, upstream_url: str | None) -> UpstreamError:
    """The site lives at another address than the one that was given."""
    command = f"app-connect connect {right}" + (f" --upstream {upstream_url}" if upstream_url else "")
    return UpstreamError(SiteProblem.MOVED, facts, f"Use that address instead of {asked}: `{command}`.")


def no_https(url: str, facts: str) -> UpstreamError:
    """Application passwords are off since PHP does not see https."""
    return UpstreamError(
        SiteProblem.NO_HTTPS,
        f"{facts} WordPress offers application passwords over https only, unless the site is of type local.",
        "Where https ends before the web server (a load balancer or proxy), tell PHP: write "
        f"`if (($_SERVER['HTTP_X_FORWARDED_PROTO'] ?? '') === 'https') {{ {HTTPS_LINE} }}` into wp-config.php above "
        "`require_once ABSPATH`, or set HTTPS to `on` in the web server (nginx: `fastcgi_param HTTPS on;`). "
        f"Under Settings → General both addresses must be {_with_https(url)}. For a site on your own machine, "
        "`define('WP_ENVIRONMENT_TYPE', 'local');` allows them over http; where that is done already, a plugin has "
        "switched them off (the filter `wp_is_application_passwords_available`).",
    )


def application_passwords_off(what: str, *, is_https_certain: bool) -> UpstreamError:
    """The site has switched them off itself."""
    doubt = f" If nothing does, see that PHP gets https: {HTTPS_LINE} in wp-config.php sets it."
    return UpstreamError(
        SiteProblem.APPLICATION_PASSWORDS_OFF,
        f"Application passwords are switched off on this site ({what}).",
        "Switch them on: in a security plugin look for “application passwords”; in code look for the filter "
        f"`wp_is_application_passwords_available`.{'' if is_https_certain else doubt}",
    )


# -- credentials and users --------------------------------------------------------------------------------------------


def credential_unseen(what: str, login: str, code: str) -> UpstreamError:
    """WordPress saw nobody: a wrong password and a lost header look alike (see `WordPressSite._why_unseen`)."""
    return UpstreamError(
        SiteProblem.AUTHORIZATION_DROPPED,
        f"WordPress did not recognize {login}: {what} answers as to a visitor ({code}). Either the application "
        "password is wrong or was revoked, or the web server keeps the Authorization header from PHP.",
        "First try a new application password (Users → Profile → Application Passwords). If that one is not "
        "recognized either, it is the header: saving Settings → Permalinks once may repair it, and Tools → Site Health "
        f"tests it. {_KEEP_AUTHORIZATION}",
    )


def wrong_credential(login: str, code: str, message: str) -> UpstreamError:
    """WordPress read the credential and says that it is wrong."""
    return UpstreamError(
        SiteProblem.WRONG_CREDENTIAL,
        f"WordPress refuses the application password of {login}: {_quote(message, code)}.",
        "Make a new one (Users → Profile → Application Passwords). It is not the password used to log in; the login "
        "is the user name, as the list of users shows it.",
    )


def user_exists(login: str) -> UpstreamError:
    return UpstreamError(
        SiteProblem.USER_EXISTS, f"The site has a user {login!r} already.", "Choose it, or write another username."
    )


def no_such_user(wanted: str, tried: str, similar: Iterable[str]) -> UpstreamError:
    """The site has no user who is called so."""
    logins = ", ".join(similar)
    return UpstreamError(
        SiteProblem.NO_SUCH_USER,
        f"The site has no user with the {tried} {wanted!r}.",
        (f"Similar user names are: {logins}. " if logins else "")
        + "Give the user name, e-mail address or ID, or add the user first (Users → Add New).",
    )


def refused(what: str, status: int, code: str, message: str) -> UpstreamError:
    """WordPress understood and refuses; its own words say why."""
    match code:
        case "application_passwords_disabled_for_user":
            facts = "Application passwords are switched off for this user."
            remedy = (
                "Choose another user, or allow them: look in security plugins, and in code for the filter "
                "`wp_is_application_passwords_available_for_user`."
            )
        case "rest_no_route":
            facts = "A part of the REST API is missing."
            remedy = "Look for a plugin that removes routes of users or application passwords, and let it keep them."
        case _:
            facts = "WordPress refuses."
            remedy = "See that the administrator who approved the connection may do this, and what plugins forbid."
    return UpstreamError(SiteProblem.REFUSED, f"{facts} {what} answers {status}: {_quote(message, code)}.", remedy)


def unexpected(what: str, how: str) -> UpstreamError:
    """An answer that WordPress does not give when it is well."""
    return UpstreamError(
        SiteProblem.UNEXPECTED_ANSWER,
        f"{what} answers {how}.",
        "Look into the error logs of PHP and the web server; a plugin that fails or prints text is the usual cause "
        "(`define('WP_DEBUG_DISPLAY', false);` in wp-config.php keeps PHP's messages out of answers).",
    )


# -- words ------------------------------------------------------------------------------------------------------------


def _where(address: SiteAddress) -> str:
    if address.upstream_url == address.url:
        return address.url
    return f"{address.upstream_url} (for {address.url})"


def _quote(message: str, code: str) -> str:
    return f"“{message.rstrip('.')}” ({code})" if message else code


def _with_https(url: str) -> str:
    return "https://" + url.partition("://")[2]


def _chain(error: BaseException | None) -> Iterable[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        inner = next((part for part in error.args if isinstance(part, BaseException)), None)
        error = error.__cause__ or inner or error.__context__


def _root(error: BaseException) -> BaseException:
    return list(_chain(error))[-1]


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return (text or type(error).__name__).rstrip(".")
