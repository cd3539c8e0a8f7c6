"""`app-connect keys`: the keys that sign access tokens."""

from typing import Annotated

import typer

from appconnect.cli import output
from appconnect.cli.performing import listed, perform
from appconnect.control.operations import keys as operations
from appconnect.control.operations.keys import KeyNamed
from appconnect.control.operations.operation import Nothing, PageWanted, to_json

app = typer.Typer(no_args_is_help=True, help="Signing keys: what access tokens are signed with.")


@app.command("list")
def list_(*, as_json: output.JsonOption = False) -> None:
    """List the signing keys, the newest first."""
    found = listed(operations.LIST, PageWanted())
    if as_json:
        output.show_json(to_json(found))
    else:
        rows = ((one.key_id, one.state, output.when(one.created_at), output.when(one.retired_at)) for one in found)
        output.show_table(("Key ID", "State", "Signs from", "Ends"), rows)


@app.command("rotate")
def rotate(*, as_json: output.JsonOption = False) -> None:
    """Sign with a new key. The old one verifies as long as a token that it signed may live."""
    rotated = perform(operations.ROTATE, Nothing())
    if as_json:
        output.show_json(to_json(rotated))
    else:
        output.say(f"{rotated.key_id} signs from {output.when(rotated.created_at)} on.")


# One ID in sixty-four begins with a hyphen: it is no option, and an `h` in it asks for no help.
@app.command("retire", context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
def retire(
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key's ID.")],
    *,
    as_json: output.JsonOption = False,
) -> None:
    """Retire a key that no longer signs: tokens that it signed are void within a second."""
    retired = perform(operations.RETIRE, KeyNamed(key=key))
    if as_json:
        output.show_json(to_json(retired))
    else:
        output.say(f"{retired.key_id} is retired. Tokens that it signed are void.")
