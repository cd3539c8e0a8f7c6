"""`app-connect sessions`: who is signed in to the console."""

from typing import Annotated

import typer

from appconnect.cli import output
from appconnect.cli.performing import listed, perform
from appconnect.control.operations import sessions as operations
from appconnect.control.operations.operation import PageWanted, to_json
from appconnect.control.operations.sessions import SessionNamed

app = typer.Typer(no_args_is_help=True, help="Sessions: who is signed in to the console.")


@app.command("list")
def list_(*, as_json: output.JsonOption = False) -> None:
    """List who is signed in to the console, the last used session first."""
    found = listed(operations.LIST, PageWanted())
    if as_json:
        output.show_json(to_json(found))
    elif not found:
        output.say("Nobody is signed in to the console.")
    else:
        rows = (
            (one.session_id, one.login, output.when(one.used_at), output.when(one.expires_at), one.browser)
            for one in found
        )
        output.show_table(("Session", "Who", "Last used", "Ends", "Browser"), rows)


@app.command("end")
def end(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="The session's ID.")],
    *,
    as_json: output.JsonOption = False,
) -> None:
    """End a session: its browser has to sign in again."""
    ended = perform(operations.END, SessionNamed(session=session))
    if as_json:
        output.show_json(to_json(ended))
    else:
        output.say(f"The session of {ended.login or 'nobody'} has ended.")
