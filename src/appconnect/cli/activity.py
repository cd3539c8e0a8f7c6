"""`app-connect activity`: what clients did, and what was refused."""

from typing import Annotated

import typer

from appconnect.cli import output
from appconnect.cli.performing import listed, perform
from appconnect.control.operations import activity as operations
from appconnect.control.operations.activity_values import RefusalsWanted, UsageWanted
from appconnect.control.operations.client_values import ClientNamed
from appconnect.control.operations.operation import PageWanted, to_json

app = typer.Typer(no_args_is_help=True, help="Activity: what clients did, and what was refused.")

ClientOption = Annotated[str | None, typer.Option(help="Only of this client, by its ID or name.")]


@app.command("refusals")
def refusals(
    *,
    client: ClientOption = None,
    code: Annotated[str | None, typer.Option(help="Only for this reason, such as no_rule.")] = None,
    text: Annotated[str | None, typer.Option(help="Only where the path has this in it.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest first.")] = 50,
    as_json: output.JsonOption = False,
) -> None:
    """List the requests that were refused, the newest first."""
    found = listed(operations.REFUSALS, RefusalsWanted(client=client, code=code, text=text), at_most=limit)
    if as_json:
        output.show_json(to_json(found))
    elif not found:
        output.say("Nothing was refused.")
    else:
        rows = (
            (output.when(one.at), one.client_id or "unknown", one.code, f"{one.method} {one.path}", one.rule or "")
            for one in found
        )
        output.show_table(("When", "Client", "Why", "Request", "Rule that would allow it"), rows)


@app.command("usage")
def usage(
    *,
    client: ClientOption = None,
    days: Annotated[int, typer.Option(min=1, max=400, help="For how many days until now.")] = 30,
    as_json: output.JsonOption = False,
) -> None:
    """Count tokens and requests: by the hour for up to three days, else by the day."""
    found = perform(operations.USAGE, UsageWanted(client=client, days=days))
    if as_json:
        output.show_json(to_json(found))
        return
    rows = ((output.when(one.at), str(one.tokens), str(one.allowed), str(one.refused)) for one in found.steps)
    output.show_table(("From", "Tokens", "Allowed", "Refused"), rows)
    if found.lost:
        output.say(f"{found.lost} records were lost, as there was no room for them.")


@app.command("clients")
def clients(*, as_json: output.JsonOption = False) -> None:
    """Tell of every client when it was last used, and how its upstream credential is."""
    found = listed(operations.CLIENTS, PageWanted())
    if as_json:
        output.show_json(to_json(found))
        return
    rows = ((one.client_id, output.when(one.last_at), one.health or "not checked yet") for one in found)
    output.show_table(("Client ID", "Last used", "Upstream credential"), rows)


@app.command("rules")
def rules(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="The client's ID or name.")],
    *,
    as_json: output.JsonOption = False,
) -> None:
    """Tell of every rule of a client how often it was used in 30 days, and which were not."""
    found = perform(operations.RULES, ClientNamed(client=client))
    if as_json:
        output.show_json(to_json(found))
        return
    rows = (
        (one.rule or "(full access)", one.state, str(one.requests), output.when(one.last_hour)) for one in found.rules
    )
    output.show_table(("Rule", "State", "Requests in 30 days", "Last used in the hour from"), rows)
