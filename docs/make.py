"""`make docs`: the reference pages, made from the code; `tests/docs/test_reference.py` fails where they are stale."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import typer
from annotated_types import Ge, Le

from appconnect import app as application
from appconnect.cli.commands import app as commands
from appconnect.console.api import ROOT as API_ROOT
from appconnect.control.setup import APPROVAL_PATH
from appconnect.core.audit import AuditEventType
from appconnect.core.keys import KeyRing
from appconnect.core.secret import Secret
from appconnect.core.snapshot import SiteSwitches, Snapshot
from appconnect.oauth import endpoints, metadata
from appconnect.settings import (
    DEFAULT_FILE,
    ENVIRONMENT_PREFIX,
    FILE_VARIABLE,
    Settings,
    description,
    is_required,
)
from docs.admin_api import admin_api_page
from docs.errors import errors_page
from docs.markdown import table

FOLDER: Final = Path(__file__).with_name("reference")
MADE: Final = "<!-- Made from the code by `make docs`. Do not edit: change the code, and make it anew. -->"
SNAPSHOT: Final = Snapshot(
    revision=1,
    public_url="https://your-site.com",
    site=None,
    switches=SiteSwitches(is_api_enabled=True, grant_types=frozenset(), token_lifetime_seconds=3600),
    key_ring=KeyRing(()),
)


def pages() -> dict[str, str]:
    """Each page's name and text."""
    made: dict[str, Callable[[], Sequence[str]]] = {
        "settings.md": _settings,
        "cli.md": _cli,
        "errors.md": lambda: errors_page(SNAPSHOT),
        "endpoints.md": _endpoints,
        "admin-api.md": admin_api_page,
        "audit-events.md": _audit_events,
    }
    return {name: "\n".join([MADE, "", *lines()]).rstrip() + "\n" for name, lines in made.items()}


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")


# -- settings ---------------------------------------------------------------------------------------------------------


def _settings() -> list[str]:
    lines = [
        "# Settings",
        "",
        "Here you find every setting with its meaning, its default and its range.",
        "",
        f"`app-connect init` writes them, commented, into `{DEFAULT_FILE}`.",
        f"Another file is named with `--settings` before the command, or with `{FILE_VARIABLE}`.",
        f"An environment variable, `{ENVIRONMENT_PREFIX}` and the name in capitals, outranks the file.",
        "A path is relative to the folder of the settings file.",
        "All mistakes are reported together, and the command ends with status 2.",
        "A change takes effect when `app-connect serve` is started again.",
    ]
    hints = get_type_hints(Settings, include_extras=True)
    for field in fields(Settings):
        default = "none, it is required" if is_required(field.name) else _shown(field.default)
        names = [field.name, *(["encryption_key_file"] if field.name == "encryption_key" else [])]
        lines += [
            "",
            f"## `{field.name}`",
            "",
            description(field.name),
            "",
            f"- Default: {default}",
            f"- Value: {_value(hints[field.name])}",
            f"- Environment: {' or '.join(f'`{ENVIRONMENT_PREFIX}{name.upper()}`' for name in names)}",
        ]
    return lines


def _shown(default: Any) -> str:
    return "none" if default is None else f"`{json.dumps(default)}`"


def _value(hint: Any) -> str:
    kind, *notes = get_args(hint)
    low = next((note.ge for note in notes if isinstance(note, Ge)), None)
    high = next((note.le for note in notes if isinstance(note, Le)), None)
    span = f" from {low} to {high}" if low is not None else ""
    return _kind(kind) + span


def _kind(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(f"`{json.dumps(one)}`" for one in get_args(kind))
    if get_origin(kind) in (UnionType, Union):
        kind = next(one for one in get_args(kind) if one is not type(None))
    names = {str: "text", int: "a whole number", float: "a number", Path: "a path", Secret: "text, a secret"}
    return names[kind]


# -- command line -----------------------------------------------------------------------------------------------------


def _cli() -> list[str]:
    root: Any = typer.main.get_command(commands)
    lines = [
        "# Command line",
        "",
        "Here you find every command of `app-connect` with its arguments and options.",
        "",
        f"{root.help}",
        "",
        "With `--gateway` and an administrator token, a command works for a gateway elsewhere, over its",
        "[admin API](../operators/admin-api.md).",
        "`init`, `connect` and `serve` work only at the gateway itself.",
        "A command that changes something returns when every running worker has had the time to see it.",
        "Exit status: 0 done, 1 not done, 2 wrong settings or usage, 130 interrupted.",
        "With `--json`, the result is one JSON value on standard output and an error is one on standard error.",
        "",
        "## Global options",
        "",
        "They stand before the command.",
        "",
        *_parameters(root.params),
    ]
    for path, command in _walk(root, ("app-connect",)):
        lines += ["", f"## `{' '.join(path)}`", "", command.help]
        if not hasattr(command, "commands"):
            arguments = [one for one in command.params if one.param_type_name == "argument"]
            usage = " ".join([*path, *map(_argument, arguments), "[OPTIONS]"])
            lines += ["", f"    {usage}", "", *_parameters(command.params)]
    return lines


def _walk(group: Any, path: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from _walk(command, (*path, name))


def _parameters(parameters: Sequence[Any]) -> list[str]:
    rows = [(_spelled(one), f"{one.help}{_limits(one)}") for one in parameters if one.name != "show_completion"]
    return table(("Option", "Meaning"), rows) if rows else ["It has no options."]


def _spelled(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_argument(parameter)}`"
    names = [f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts)]
    kinds = {str: "TEXT", int: "NUMBER", Path: "FILE", list[str]: "TEXT"}
    takes = "" if parameter.is_flag else f" `{kinds[parameter.type_descriptor.annotation]}`"
    return ", ".join(names) + takes


def _argument(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _limits(parameter: Any) -> str:
    said = ""
    if parameter.min is not None:
        said += f" From {parameter.min} to {parameter.max}."
    if parameter.default not in (None, False) and not callable(parameter.default):
        said += f" Default: `{parameter.default}`."
    return said


# -- endpoints --------------------------------------------------------------------------------------------------------

_WHAT: Final[Mapping[str, tuple[str, str, str]]] = {
    metadata.TOKEN: ("POST", "Issues an access token.", "RFC 6749 §4.4"),
    metadata.REVOKE: ("POST", "Revokes one of the client's own tokens.", "RFC 7009"),
    metadata.INTROSPECT: ("POST", "Says whether one of the client's own tokens may be used now.", "RFC 7662"),
    metadata.JWKS: ("GET", "The public keys that tokens verify with.", "RFC 7517"),
    metadata.AUTHORIZATION_SERVER: ("GET", "The authorization server's metadata.", "RFC 8414"),
    metadata.PROTECTED_RESOURCE + "/wp-json": ("GET", "The REST API's metadata.", "RFC 9728"),
    metadata.PROTECTED_RESOURCE: ("GET", "The same for the bare host.", "RFC 9728"),
}
_OURS: Final[Mapping[str, tuple[str, str]]] = {
    application.HEALTHZ: ("GET", "200 while the worker runs."),
    application.READYZ: ("GET", "200 when a site is connected, 503 before; its `revision` grows with each change."),
    API_ROOT + "/…": ("by operation", "The [admin API](admin-api.md)."),
    APPROVAL_PATH + "STATE": (
        "GET",
        "The way back from WordPress's approval page, once for each `app-connect connect`.",
    ),
}


def _endpoints() -> list[str]:
    served = (*endpoints.POSTED, *metadata.DOCUMENTS)
    return [
        "# Endpoints",
        "",
        "Here you find every path that App Connect answers itself; everything else is the gateway.",
        "",
        "## Authorization server",
        "",
        *table(("Method", "Path", "What", "By"), [(_WHAT[p][0], f"`{p}`", *_WHAT[p][1:]) for p in served]),
        "",
        "Those with POST take a form (`application/x-www-form-urlencoded`).",
        "The client authenticates with HTTP Basic, or with `client_id` and `client_secret` in the form, not both.",
        "They are never cached; the documents with GET may be, for five minutes, and any web page may read them.",
        "",
        "## Token endpoint",
        "",
        *table(
            ("Parameter", "Meaning"),
            [
                ("`grant_type`", "Required: `client_credentials`."),
                ("`resource`", f"Optional (RFC 8707), may be repeated: `{SNAPSHOT.audience}` or `{SNAPSHOT.issuer}`."),
                ("`scope`", "Refused with `invalid_scope`: what a token opens is the client's route allowlist."),
            ],
        ),
        "",
        *table(
            ("Field of the answer", "Meaning"),
            [
                ("`token_type`", "`Bearer`"),
                ("`access_token`", "What goes into `Authorization: Bearer`; take it as text without a meaning."),
                ("`expires_in`", "Its lifetime in seconds."),
                ("`granted_rest_routes`", "The client's allowlist, one route rule a line."),
            ],
        ),
        "",
        "## Metadata documents",
        "",
        'For `public_url = "https://your-site.com"`:',
        "",
        f"`{metadata.AUTHORIZATION_SERVER}`",
        "",
        *_json(metadata.authorization_server(SNAPSHOT, now=0)),
        "",
        f"`{metadata.PROTECTED_RESOURCE}/wp-json`",
        "",
        *_json(metadata.protected_resource(SNAPSHOT, now=0)),
        "",
        "## For operators and administrators",
        "",
        *table(("Method", "Path", "What"), [(what[0], f"`{path}`", what[1]) for path, what in _OURS.items()]),
        "",
        "## Gateway",
        "",
        "Any other path is a request to WordPress.",
        "With one of our tokens, only REST routes are forwarded.",
        "The REST root may be spelled `/wp-json/…`, `/index.php/wp-json/…` or, on any page, `?rest_route=…`.",
        "Without one, the setting [`untokened`](settings.md#untokened) decides.",
    ]


def _json(content: Mapping[str, Any]) -> list[str]:
    return ["```json", *json.dumps(content, indent=2).splitlines(), "```"]


# -- audit events -----------------------------------------------------------------------------------------------------

_EVENTS: Final[Mapping[AuditEventType, tuple[str, str]]] = {
    AuditEventType.INITIALIZED: ("The signing key was made by `app-connect init`.", "the key's ID"),
    AuditEventType.SITE_CONNECTED: ("A site was connected, or connected again.", "the site's address"),
    AuditEventType.SITE_DISCONNECTED: ("The site was disconnected.", "the site's address"),
    AuditEventType.SETTINGS_CHANGED: ("The API switch, a grant type or the token lifetime was changed.", "settings"),
    AuditEventType.CLIENT_CREATED: ("A client was added.", "the client ID"),
    AuditEventType.CLIENT_CHANGED: ("A client was edited.", "the client ID"),
    AuditEventType.CLIENT_DISABLED: ("A client was disabled.", "the client ID"),
    AuditEventType.CLIENT_ENABLED: ("A client was enabled again.", "the client ID"),
    AuditEventType.CLIENT_DELETED: ("A client was deleted.", "the client ID"),
    AuditEventType.SECRET_ROTATED: ("A client got a new secret.", "the client ID"),
    AuditEventType.TOKENS_REVOKED: ("Every token of a client was made void.", "the client ID"),
    AuditEventType.UPSTREAM_CREDENTIAL_REPLACED: (
        "WordPress no longer accepted a client's application password, and the gateway made another.",
        "the client ID",
    ),
    AuditEventType.SERVICE_USER_CHANGED: (
        "A service user's roles or capabilities in WordPress were seen to have changed.",
        "the client ID",
    ),
    AuditEventType.SETUP_BEGUN: ("The one-time link was used.", "the session's ID"),
    AuditEventType.SIGN_IN_REFUSED: ("A user of the site who is no administrator tried to sign in.", "the login"),
    AuditEventType.SIGNED_IN: ("An administrator signed in to the console.", "the WordPress login"),
    AuditEventType.SESSION_ENDED: (
        "A session of the console ended: signed out, ended by an administrator, or its user is none any more.",
        "the WordPress login",
    ),
    AuditEventType.KEY_ROTATED: ("A new signing key was made.", "the key's ID"),
    AuditEventType.KEY_RETIRED: ("A signing key was retired before its time.", "the key's ID"),
    AuditEventType.SERVICE_USER_CREATED: ("A WordPress user was created for a client to act as.", "the login"),
    AuditEventType.TOKEN_REVOKED: ("A client revoked one of its tokens.", "the token's `jti`"),
    AuditEventType.ADMIN_TOKEN_CREATED: ("An administrator token was created.", "the administrator token's ID"),
    AuditEventType.ADMIN_TOKEN_REVOKED: (
        "An administrator token was revoked, itself or with the one that had made it.",
        "the administrator token's ID",
    ),
}


def _audit_events() -> list[str]:
    rows = [(f"`{one.value}`", *_EVENTS[one]) for one in AuditEventType]
    return [
        "# Audit events",
        "",
        "Here you find everything that is recorded; `app-connect audit` lists it, the newest first.",
        "",
        "Each event has a time in UTC, a type, who did it, what it was done to, and the change in words.",
        "Who is `cli:` and the login on the machine, `console:` and the login in WordPress, `api:` and the name of an",
        "administrator token, `init`, `gateway`, or `client` and the client ID.",
        "The gateway's decisions on single requests are in its [log](../operators/README.md#logs), not here.",
        "",
        *table(("Type", "What happened", "On"), rows),
    ]


if __name__ == "__main__":
    main()
