"""`app-connect init`, `connect`, `disconnect`, `status` and `audit`."""

import base64
import os
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from appconnect.cli import opening, output
from appconnect.cli.performing import listed, perform
from appconnect.cli.reading import read_secret
from appconnect.cli.switches import labels
from appconnect.control import setup
from appconnect.control.context import Context, InputError, InputProblem
from appconnect.control.operations.activity import EVENTS
from appconnect.control.operations.activity_values import EventsWanted
from appconnect.control.operations.operation import Nothing, to_json
from appconnect.control.operations.site import CHECK, DISCONNECT
from appconnect.control_plane import control_context, open_store
from appconnect.core.secret import Secret
from appconnect.ports import Health, SiteDescription
from appconnect.settings import Settings, example_file, load, public_url_problem, settings_file
from appconnect.site.reach import answers
from appconnect.store.engine import open_engine
from appconnect.store.migrate import migrate

KEY_FILE, DATABASE_FILE = "app-connect.key", "app-connect.db"
DEFAULT_PUBLIC_URL, DEFAULT_PORT = "http://127.0.0.1:8080", 8080
POLL_SECONDS = 0.5


def init(
    public_url: Annotated[
        str | None,
        typer.Option(help=f"The gateway's own address as clients see it. Default: {DEFAULT_PUBLIC_URL}"),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help=f"The port to listen on. Default: {DEFAULT_PORT}")
    ] = None,
    *,
    as_json: output.JsonOption = False,
) -> None:
    """Set up a gateway in this folder: settings, encryption key, database, signing key. Safe to repeat."""
    opening.must_be_here()
    if public_url is not None and (problem := public_url_problem(public_url)):
        raise InputError.of("--public-url", f"{public_url!r} cannot be the public address.", problem)
    file = settings_file(opening.named_settings_file[0] if opening.named_settings_file else None)
    made = [str(file)] if _write_settings(file, public_url or DEFAULT_PUBLIC_URL, port or DEFAULT_PORT) else []
    settings = load(file)
    _check_as_asked(file, settings, public_url, port)
    path = settings.database_path
    made += [str(path)] if not path.exists() else []
    path.parent.mkdir(parents=True, exist_ok=True)
    migrate(open_engine(path))
    context = control_context(settings, open_store(settings), actor="init")
    made += ["a signing key"] if setup.initialize(context) else []
    if as_json:
        output.show_json({"settings_file": str(file), "public_url": settings.public_url, "made": made})
    elif made:
        output.say(f"Made {', '.join(made)}.")
        if (file.parent / KEY_FILE).exists():
            output.say(f"Back up {file.parent / KEY_FILE}: without it, the database cannot be read.")
        output.say("Next: app-connect connect https://your-wordpress-site.com")
    else:
        output.say(f"Everything is set up already; the settings are in {file}.")


def connect(
    site_url: Annotated[str, typer.Argument(metavar="SITE_URL", help="The WordPress site: https://your-site.com")],
    username: Annotated[
        str | None,
        typer.Option(
            help="An administrator's username; asks for an application password instead of opening a browser."
        ),
    ] = None,
    password_file: Annotated[
        Path | None,
        typer.Option(help="A file with that administrator's application password. - is standard input."),
    ] = None,
    upstream: Annotated[
        str | None,
        typer.Option(help="Where WordPress answers, if not at SITE_URL: for a gateway in front of the whole site."),
    ] = None,
    *,
    as_json: output.JsonOption = False,
) -> None:
    """Connect a WordPress site, with the approval of one of its administrators."""
    if password_file is not None and username is None:
        raise InputError.of("--password-file", "It needs --username.", "Name the administrator whose password it is.")
    context = opening.open_context()
    description = setup.look_at_site(context, site_url, upstream)
    _tell(f"Found {description.name!r} at {description.address.url}.", as_json=as_json)
    if username is not None:
        given = read_secret(password_file, "--password-file")
        password = given or Secret(typer.prompt(f"Application password of {username}", hide_input=True, err=True))
        connected = setup.connect(context, description, username, password, was_made_for_us=False)
    else:
        login, password = _ask_in_browser(context, description, as_json=as_json)
        connected = setup.connect(context, description, login, password, was_made_for_us=True)
    output.warn(connected.warnings)
    if as_json:
        address = description.address
        output.show_json(
            {
                "site_url": address.url,
                "upstream_url": address.upstream_url,
                "name": description.name,
                "administrator": connected.administrator.login,
                "pretty_permalinks": address.has_pretty_permalinks,
            }
        )
    else:
        output.say(f"Connected to {description.name!r} as {connected.administrator.login}.")
        output.say("Next: app-connect settings grant-types enable client-credentials")


def disconnect(*, as_json: output.JsonOption = False) -> None:
    """Remove App Connect's own application password from WordPress and forget the site."""
    done = perform(DISCONNECT, Nothing())
    output.warn(done.warnings)
    if as_json:
        output.show_json(to_json(done))
    else:
        output.say("Disconnected.")


def status(*, as_json: output.JsonOption = False) -> None:
    """Check the site, the administrator's credential and each client's, replacing one that is lost."""
    found = perform(CHECK, Nothing())
    if as_json:
        output.show_json(to_json(found))
    else:
        output.show_pairs(
            (
                ("Site", found.site),
                ("API", "enabled" if found.api_enabled else "disabled"),
                ("Grant Types", labels(found.grant_types)),
                *((f"Client {id_}", f"credential {state}") for id_, state in found.clients.items()),
                ("Unfinished", f"{found.unfinished} application passwords to remove"),
            )
        )
    if not found.site_ok or set(found.clients.values()) - {Health.HEALTHY, Health.REPLACED}:
        raise typer.Exit(1)


def audit(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many events, the newest first.")] = 50,
    *,
    as_json: output.JsonOption = False,
) -> None:
    """List what administrators did."""
    events = listed(EVENTS, EventsWanted(), at_most=limit)
    if as_json:
        output.show_json(to_json(events))
    else:
        rows = ((output.when(one.at), one.type, one.actor, one.subject, one.details) for one in events)
        output.show_table(("When", "What", "Who", "On", "Details"), rows)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (init, connect, disconnect, status, audit):
        app.command()(command)


# -- steps ------------------------------------------------------------------------------------------------------------


def _tell(text: str, *, as_json: bool) -> None:
    if not as_json:
        output.say(text)


def _write_settings(file: Path, public_url: str, port: int) -> bool:
    """Write the key, then the settings that name it: killed between the two, the next `init` goes on."""
    if file.exists():
        return False
    key_file, database = file.parent / KEY_FILE, file.parent / DATABASE_FILE
    if not key_file.exists():
        if database.exists() and database.stat().st_size > 0:
            problem = f"{database} exists, and the key that it was made with does not."
            raise InputError.of("init", problem, f"Restore {key_file}, or move the database away to begin anew.")
        file.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(key_file, base64.urlsafe_b64encode(os.urandom(32)).decode() + "\n")
    _write_whole(file, example_file({"public_url": public_url, "port": port, "encryption_key_file": KEY_FILE}))
    return True


def _check_as_asked(file: Path, settings: Settings, public_url: str | None, port: int | None) -> None:
    """Settings that exist are the operator's: `init` changes none of them, and says so."""
    problems = [
        InputProblem(option, f"{file} says {present}.", f"Change {name} in that file.")
        for option, name, asked, present in (
            ("--public-url", "public_url", public_url, settings.public_url),
            ("--port", "port", port, settings.port),
        )
        if asked not in (None, present)
    ]
    if problems:
        raise InputError(problems)


def _write_whole(file: Path, text: str) -> None:
    """Write a private file that is there as a whole or not at all."""
    partial = file.with_name(file.name + ".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)


def _ask_in_browser(context: Context, description: SiteDescription, *, as_json: bool) -> tuple[str, Secret]:
    """The administrator's approval: brought back to the running gateway, or pasted from the page."""
    settings = opening.settings()
    has_way_back = settings.public_url.startswith("https://") and answers(
        f"{settings.public_url}/app-connect/healthz", settings.upstream_ca_file
    )
    app_id = context.new_uuid()
    if has_way_back:
        with _awaited_approval(context) as state:
            way_back = settings.public_url + setup.APPROVAL_PATH + state
            _show_page(setup.authorize_url(description, app_id=app_id, success_url=way_back), as_json)
            return _wait_for_approval(context, state)
    _show_page(setup.authorize_url(description, app_id=app_id, success_url=None), as_json)
    output.hint("The page then shows a password. Paste it here, with the username that you approved as.")
    login = typer.prompt("Username", err=True)
    return login, Secret(typer.prompt("Password", hide_input=True, err=True))


def _show_page(url: str, as_json: bool) -> None:
    output.hint("Open this page as an administrator of the site, and approve the connection:")
    output.hint(f"  {url}")
    if not as_json:
        webbrowser.open(url)


@contextmanager
def _awaited_approval(context: Context) -> Iterator[str]:
    """Await an approval as long as the command does; gives the one-time state."""
    state = setup.await_approval(context)
    try:
        yield state
    finally:
        setup.stop_waiting(context, state)


def _wait_for_approval(context: Context, state: str) -> tuple[str, Secret]:
    with output.waiting("Waiting for the approval (Ctrl-C ends it)"):
        deadline = time.monotonic() + setup.APPROVAL_WAIT_SECONDS
        while time.monotonic() < deadline:
            approval = setup.take_approval(context, state)
            if approval is not None and approval.credential is not None:
                return approval.credential.login, approval.credential.password
            if approval is not None:
                raise InputError.of(
                    "connect", "The connection was not approved.", "Run the command again to ask again."
                )
            time.sleep(POLL_SECONDS)
    raise InputError.of("connect", "No answer came within ten minutes.", "Run the command again.")
