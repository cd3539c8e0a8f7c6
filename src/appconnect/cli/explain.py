"""`app-connect explain`: what would become of a request."""

from pathlib import Path
from typing import Annotated

import typer

from appconnect.cli import output
from appconnect.cli.performing import perform
from appconnect.cli.reading import read_text
from appconnect.control.operations.explain import EXPLAIN, Explained, RequestToTry
from appconnect.control.operations.operation import to_json


def explain(
    client: Annotated[str, typer.Argument(metavar="CLIENT", help="The client's ID or name.")],
    method: Annotated[str, typer.Argument(metavar="METHOD", help="The request's method, such as GET.")],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Its path with the query, or the whole address.")],
    *,
    body_file: Annotated[Path | None, typer.Option(help="A file with its body. - is standard input.")] = None,
    content_type: Annotated[str, typer.Option(help="What the body is.")] = "application/json",
    wordpress: Annotated[
        bool, typer.Option("--wordpress/--no-wordpress", help="Whether WordPress is asked for its half.")
    ] = True,
    as_json: output.JsonOption = False,
) -> None:
    """Explain what would become of a client's request, here and in WordPress. Ends with 1 where it would not pass."""
    body = read_text(body_file, "--body-file") if body_file is not None else ""
    found = perform(
        EXPLAIN,
        RequestToTry(
            client=client,
            method=method,
            path=path,
            body=body,
            content_type=content_type if body_file is not None else "",
            wordpress=wordpress,
        ),
    )
    if as_json:
        output.show_json(to_json(found))
    else:
        _show(found)
    if found.would_pass is False:
        raise typer.Exit(1)


def _show(found: Explained) -> None:
    output.show_pairs(
        (
            ("Gateway", f"{'allowed' if found.allowed else 'refused'}: {found.sentence}"),
            *((("Meaning", found.canonical),) if found.canonical else ()),
            *(("In the batch", part) for part in found.parts),
            *((("Rule", found.rule),) if found.rule else ()),
            *((("Missing rule", found.would_allow),) if found.would_allow else ()),
            *((("WordPress", f"{found.wordpress.permission}: {found.wordpress.sentence}"),) if found.wordpress else ()),
            *(("Before that", obstacle) for obstacle in found.obstacles),
        )
    )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(explain)
