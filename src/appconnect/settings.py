"""The operator's settings: read once, from the settings file and the environment, all problems reported together.

The only file that reads the environment. A worker process is handed the finished value and never loads the reader.
"""

import base64
import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from ipaddress import ip_address
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_type_hints
from urllib.parse import urlsplit

from annotated_types import DocInfo, Ge, Le, doc

from appconnect.core.secret import Secret

ENVIRONMENT_PREFIX = "APP_CONNECT_"
FILE_VARIABLE = ENVIRONMENT_PREFIX + "SETTINGS"
DEFAULT_FILE = "app-connect.toml"
GATEWAY_VARIABLE = ENVIRONMENT_PREFIX + "GATEWAY"
TOKEN_VARIABLE = ENVIRONMENT_PREFIX + "TOKEN"
TOKEN_FILE_VARIABLE = ENVIRONMENT_PREFIX + "TOKEN_FILE"
_OF_THE_COMMAND = frozenset((FILE_VARIABLE, GATEWAY_VARIABLE, TOKEN_VARIABLE, TOKEN_FILE_VARIABLE))
"""Variables that are no settings of a gateway: they say which one a command is for."""


class Problem(NamedTuple):
    """One wrong setting: its name and where it stands, what is wrong, what to do."""

    name: str
    problem: str
    remedy: str


class SettingsError(Exception):
    """Everything that is wrong with the settings, at once."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(f"{name}: {problem} {remedy}" for name, problem, remedy in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting with its name, default, unit and meaning; the reference page is made from this class."""

    public_url: Annotated[
        str,
        doc("The gateway's own address as clients see it: https and a host, without a path. Tokens are issued for it."),
    ] = "http://127.0.0.1:8080"
    host: Annotated[str, doc("The address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Ge(1), Le(65535), doc("The port to listen on.")] = 8080
    workers: Annotated[int, Ge(1), Le(64), doc("How many worker processes serve requests.")] = 1
    database_url: Annotated[
        str, doc("The database: sqlite:/// and a path, relative to the settings file. It is made by `init`.")
    ] = "sqlite:///app-connect.db"
    encryption_key: Annotated[
        Secret,
        doc(
            "32 bytes in base64url, which encrypt application passwords and signing keys in the database. "
            "Best given as a file: `encryption_key_file`."
        ),
    ]
    untokened: Annotated[
        Literal["reject", "pass"],
        doc(
            "What happens to requests without one of our tokens: `reject` answers 401; `pass` hands them to "
            "WordPress untouched, for a gateway that stands in front of the whole site."
        ),
    ] = "reject"
    upstream_ca_file: Annotated[
        Path | None,
        doc("A PEM file with the certificate authority of WordPress's own certificate, where it is private."),
    ] = None
    upstream_connect_timeout_seconds: Annotated[
        float, Ge(0.1), Le(60), doc("How long to wait for a connection to WordPress, in seconds.")
    ] = 5.0
    upstream_answer_timeout_seconds: Annotated[
        float,
        Ge(1),
        Le(3600),
        doc("How long WordPress may be silent before a request is given up with 504, in seconds."),
    ] = 60.0
    upstream_client: Annotated[
        Literal["builtin", "aiohttp"],
        doc(
            "What speaks HTTP to WordPress: the gateway's own client, or aiohttp, which takes some four times as long "
            "for a request and is there for a WordPress with which the other one has trouble."
        ),
    ] = "builtin"
    max_in_flight_per_client: Annotated[
        int, Ge(1), Le(1000), doc("How many requests of one client each worker sends to WordPress at a time.")
    ] = 4
    max_wait_seconds: Annotated[
        float, Ge(0), Le(60), doc("How long a request beyond that waits for its turn before it gets 429, in seconds.")
    ] = 5.0
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], doc("The least important log lines to write.")
    ] = "info"

    @property
    def database_path(self) -> Path:
        """Where the SQLite database is."""
        return Path(self.database_url.removeprefix("sqlite:///"))

    @property
    def encryption_key_bytes(self) -> bytes:
        """The 32 bytes of the encryption key."""
        return base64.urlsafe_b64decode(self.encryption_key.reveal())


def settings_file(named: Path | None = None) -> Path:
    """The settings file in effect: the named one, `APP_CONNECT_SETTINGS`, or `app-connect.toml` in this folder."""
    return (named or Path(os.environ.get(FILE_VARIABLE) or DEFAULT_FILE)).absolute()


def load(named: Path | None = None) -> Settings:
    """Read the settings; `SettingsError` lists all that is wrong with them.

    The environment (`APP_CONNECT_PORT`, …) outranks the file. The encryption key may come from a file in either.
    """
    file = settings_file(named)
    values, sources, problems = _gather(file)
    settings = _validate(values, sources, problems)
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


@dataclass(frozen=True, slots=True)
class RemoteGateway:
    """A gateway elsewhere, which a command asks through its admin API."""

    url: str
    token: Secret
    ca_file: Path | None


def remote_gateway(url: str | None, token_file: Path | None, ca_file: Path | None) -> RemoteGateway | None:
    """The gateway that options or the environment name; None for the one that the settings here are of."""
    chosen = url or os.environ.get(GATEWAY_VARIABLE)
    if not chosen:
        if token_file is not None or ca_file is not None:
            raise SettingsError([Problem("--gateway", "is missing.", "Name the gateway that the token is for.")])
        return None
    problems: list[Problem] = []
    if wrong := public_url_problem(chosen):
        problems.append(Problem("--gateway" if url else GATEWAY_VARIABLE, f"is {chosen!r}.", wrong))
    file = token_file or (Path(named) if (named := os.environ.get(TOKEN_FILE_VARIABLE)) else None)
    where = "--token-file" if token_file else TOKEN_FILE_VARIABLE
    token = _read_secret(file, where, problems) if file else Secret(os.environ.get(TOKEN_VARIABLE, "").strip())
    if token is not None and not token.reveal():
        remedy = f"Name a file with an administrator token: --token-file or {TOKEN_FILE_VARIABLE}."
        problems.append(Problem("--token-file", "is missing or empty.", remedy))
    if problems or token is None:
        raise SettingsError(problems)
    return RemoteGateway(chosen, token, ca_file)


_Gathered = tuple[dict[str, Any], dict[str, str], list[Problem]]


def _gather(file: Path) -> _Gathered:
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    problems: list[Problem] = []
    environment = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): text
        for name, text in os.environ.items()
        if name.startswith(ENVIRONMENT_PREFIX) and name not in _OF_THE_COMMAND
    }
    in_file = _read_file(file, is_needed=not any(name.startswith("encryption_key") for name in environment))
    for origin, content in ((str(file), in_file), ("the environment", environment)):
        for key, value in content.items():
            name = f"{ENVIRONMENT_PREFIX}{key.upper()}" if content is environment else key
            where = f"{name} in {origin}"
            if key == "encryption_key_file":
                values["encryption_key"] = _read_secret(file.parent / str(value), where, problems)
                sources["encryption_key"] = where
            elif key in _NAMES:
                values[key] = value
                sources[key] = where
            else:
                problems.append(Problem(where, "is not a setting.", f"Settings are: {', '.join(_NAMES)}."))
    _make_absolute(values, file.parent)
    return values, sources, problems


def _read_file(file: Path, *, is_needed: bool) -> Mapping[str, Any]:
    """What the file says; nothing else can be told where it cannot be read."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        if not is_needed:
            return {}
        remedy = f"Run `app-connect init`, or name the file with --settings or {FILE_VARIABLE}."
        problem = Problem(str(file), "does not exist.", remedy)
    except (OSError, UnicodeDecodeError) as error:
        problem = Problem(str(file), f"cannot be read: {error}.", "Make it a readable text file.")
    except tomllib.TOMLDecodeError as error:
        problem = Problem(str(file), f"is not TOML: {error}.", "Correct that line.")
    raise SettingsError([problem])


def _read_secret(file: Path, where: str, problems: list[Problem]) -> Secret | None:
    try:
        return Secret(file.read_text("ascii").strip())
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(where, f"names {file}, which cannot be read: {error}.", "Restore that file."))
        return None


def _make_absolute(values: dict[str, Any], folder: Path) -> None:
    url = values.get("database_url", "sqlite:///app-connect.db")
    if isinstance(url, str) and url.startswith("sqlite:///"):
        values["database_url"] = f"sqlite:///{folder / url.removeprefix('sqlite:///')}"
    if values.get("upstream_ca_file"):
        values["upstream_ca_file"] = folder / str(values["upstream_ca_file"])


def _validate(values: dict[str, Any], sources: dict[str, str], problems: list[Problem]) -> Settings | None:
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - 10 MB that no worker needs

    key = values.pop("encryption_key", None)
    hints = get_type_hints(Settings, include_extras=True)
    checked: dict[str, Any] = {"encryption_key": Secret(key) if isinstance(key, str) else key}
    for name, value in values.items():
        if isinstance(value, bool):  # which pydantic takes for 0 or 1
            problems.append(Problem(sources[name], f"is {str(value).lower()}.", "It is not a setting of yes or no."))
            continue
        try:
            checked[name] = TypeAdapter(hints[name]).validate_python(value)
        except ValidationError as error:
            problems.append(Problem(sources[name], f"is {value!r}.", f"{error.errors()[0]['msg']}."))
    _check_meaning(checked, sources, problems)
    return None if problems else Settings(**checked)


def _check_meaning(checked: dict[str, Any], sources: dict[str, str], problems: list[Problem]) -> None:
    def complain(name: str, problem: str, remedy: str) -> None:
        problems.append(Problem(sources.get(name, name), problem, remedy))

    key = checked["encryption_key"]
    if key is None and "encryption_key" not in sources:
        complain("encryption_key", "is missing.", "Run `app-connect init`, which makes one.")
    elif key is not None and not _is_key(key):
        complain("encryption_key", "is not 32 bytes in base64url.", "Restore the one that the database was made with.")
    if not checked.get("host", "set"):
        complain("host", "is empty.", "Name an address to listen on, such as 127.0.0.1.")
    if "public_url" in checked and (wrong := public_url_problem(checked["public_url"])):
        complain("public_url", f"is {checked['public_url']!r}.", wrong)
    if not checked.get("database_url", "sqlite:///").startswith("sqlite:///"):
        complain(
            "database_url", "is not SQLite.", "Write sqlite:/// and a path; other databases are not supported yet."
        )
    ca_file = checked.get("upstream_ca_file")
    if ca_file is not None and not ca_file.is_file():
        complain("upstream_ca_file", f"names {ca_file}, which does not exist.", "Name a PEM file.")


def _is_key(key: object) -> bool:
    if not isinstance(key, Secret):
        return False
    try:
        return len(base64.b64decode(key.reveal().encode(), altchars=b"-_", validate=True)) == 32
    except ValueError:
        return False


_PUBLIC_URL = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]+)?")


def public_url_problem(url: str) -> str | None:
    """What is wrong with a public address, as a remedy; None where it is right."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or parts.scheme not in ("http", "https"):
        return "Write https:// and the host that clients use, such as https://api.example.com."
    if _PUBLIC_URL.fullmatch(url.lower()) is None:
        return f"Write only scheme and host: {parts.scheme}://{host}{f':{port}' if port else ''}."
    if parts.scheme == "http" and not is_loopback(host):
        return "Use https: over http, everybody on the way can read the secrets. Only loopback may use http."
    if url != url.lower():
        return f"Write it in small letters: {url.lower()}."
    return None


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def is_required(name: str) -> bool:
    """Whether a setting has no default."""
    return next(field.default is MISSING for field in fields(Settings) if field.name == name)


_NAMES = tuple(field.name for field in fields(Settings))


def description(name: str) -> str:
    """What a setting means, in a sentence."""
    hint = get_type_hints(Settings, include_extras=True)[name]
    return next(note.documentation for note in get_args(hint)[1:] if isinstance(note, DocInfo))


def example_file(chosen: Mapping[str, str | int]) -> str:
    """A settings file with the chosen values, and every other setting in a comment with its default."""
    lines = ["# App Connect's settings. Lines that begin with # show defaults."]
    for field in fields(Settings):
        name = field.name if field.name != "encryption_key" else "encryption_key_file"
        lines += ["", *wrap(description(field.name), width=100, initial_indent="# ", subsequent_indent="# ")]
        if name in chosen:
            lines.append(f"{name} = {json.dumps(chosen[name])}")
        elif field.default is None:
            lines.append(f"# {name} is not set")
        else:
            lines.append(f"# {name} = {json.dumps(field.default)}")
    return "\n".join(lines) + "\n"
