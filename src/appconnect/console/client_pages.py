"""The pages of clients, in one list."""

from typing import Final

from appconnect.console import client_acts, client_form, client_list, client_overview, client_secret, try_pages
from appconnect.console.web import Page, PageRoute

_ONE: Final = "/clients/{client_id}"


def _page(path: str, get: Page | None, post: Page | None = None) -> PageRoute:
    return PageRoute(path, get, post, section="clients")


PAGES: Final[tuple[PageRoute, ...]] = (
    _page("/clients", client_list.client_list),
    _page("/clients/new", client_form.new_form, client_form.act_on_new),
    _page(_ONE, client_overview.overview),
    _page(f"{_ONE}/secret", client_secret.secret_page),
    _page(f"{_ONE}/edit", client_form.edit_form, client_form.act_on_edit),
    _page(f"{_ONE}/check", None, client_overview.check_health),
    _page(f"{_ONE}/rotate-secret", client_acts.rotate_page, client_acts.rotate),
    _page(f"{_ONE}/revoke-tokens", client_acts.revoke_page, client_acts.revoke),
    _page(f"{_ONE}/disable", client_acts.disable_page, client_acts.disable),
    _page(f"{_ONE}/enable", client_acts.enable_page, client_acts.enable),
    _page(f"{_ONE}/delete", client_acts.delete_page, client_acts.delete),
    *try_pages.PAGES,
)
