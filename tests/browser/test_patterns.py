"""The page with every component once."""

from tests.browser.checks import check_page


def test_every_component_passes(page, console):
    page.goto(console("patterns"))
    check_page(page, "patterns")
