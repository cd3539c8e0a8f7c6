"""The command `app-connect`.

The commands are imported when one is run: a worker process imports this module again and must stay small.
"""


def main() -> None:
    """Run the command line."""
    from appconnect.cli.commands import run  # noqa: PLC0415 - see above

    run()
