"""Keeping the site's route templates as its index has them: plugins come and go."""

from contextlib import suppress

from appconnect.control.context import Context
from appconnect.ports import UpstreamError


def refresh_route_templates(context: Context) -> None:
    """Read the site's index, and keep what changed; a site that cannot be asked now keeps what is known of it."""
    snapshot = context.store.snapshot(now=context.clock())
    if snapshot.site is None:
        return
    with suppress(UpstreamError):
        found = context.site_at(snapshot.site).describe().route_templates
        if found != snapshot.templates.texts:
            with context.store.transaction() as transaction:
                transaction.save_route_templates(found)
