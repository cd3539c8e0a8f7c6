"""Performing an operation: in process over the database here, or by a gateway elsewhere."""

from dataclasses import replace
from typing import TypeVar

from appconnect.cli import opening, remote
from appconnect.control.operations.operation import MAX_PAGE, Caller, Operation, Page, PageWanted

_Given = TypeVar("_Given")
_Result = TypeVar("_Result")
_Wanted = TypeVar("_Wanted", bound=PageWanted)
_Item = TypeVar("_Item")


def perform(operation: Operation[_Given, _Result], given: _Given) -> _Result:
    """Do it where the global options say."""
    gateway = opening.chosen_gateway[0] if opening.chosen_gateway else None
    if gateway is not None:
        return remote.perform(gateway, operation, given)
    return operation.run(Caller(opening.open_context(), None), given)


def listed(operation: Operation[_Wanted, Page[_Item]], wanted: _Wanted, *, at_most: int | None = None) -> list[_Item]:
    """A whole list, or the first of it, however many parts it comes in."""
    found: list[_Item] = []
    cursor = None
    while True:
        left = MAX_PAGE if at_most is None else min(MAX_PAGE, at_most - len(found))
        part = perform(operation, replace(wanted, limit=left, cursor=cursor))
        found += part.items
        cursor = part.next
        if cursor is None or len(found) == at_most:
            return found
