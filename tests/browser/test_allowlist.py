"""The allowlist editor: rules typed, picked, checked against both locks, and taken from a job."""

from playwright.sync_api import Route, expect

from tests.browser.checks import check_page
from tests.browser.hands import Hand
from tests.browser.people import labeled


def test_the_empty_form_passes(page, console):
    page.goto(console("clients/new"))
    check_page(page, "client-new")


def test_a_user_is_found_chosen_and_described(administrator: Hand, console):
    page = administrator.page
    page.goto(console("clients/new"))
    administrator.fill(labeled(page, "Client Credentials User"), "auth")
    administrator.press(page.get_by_role("button", name="Find user"))
    administrator.press(page.get_by_role("button", name="Choose author"))
    expect(labeled(page, "Client Credentials User")).to_have_value("author")
    expect(page.locator("#user-picker")).to_contain_text("Robin Author")


def test_the_rules_of_a_job_are_added_and_show_both_locks(administrator: Hand, console):
    page = administrator.page
    page.goto(console("clients/new"))
    administrator.fill(labeled(page, "Client Credentials User"), "author")
    administrator.press(page.get_by_role("button", name="Publish posts"))
    expect(labeled(page, "Rule 2")).to_have_value("POST /wp-json/wp/v2/posts")
    administrator.press(page.get_by_role("button", name="Check rules", exact=True).last)
    expect(page.locator("#allowlist")).to_contain_text("Checked against WordPress as author.")
    expect(page.get_by_role("list", name="Rules").get_by_role("listitem").nth(1)).to_contain_text("Permitted")


def test_what_wordpress_will_refuse_and_what_opens_nothing_is_said(page, console):
    page.goto(console("clients/new"))
    labeled(page, "Client Credentials User").fill("author")
    rules = (
        "POST /wp-json/wp/v2/posts",
        "POST /wp-json/wp/v2/settings",
        "GET /wp-json/wc/v3/orders",
        "GET /wp-json/**",
    )
    for number, rule in enumerate(rules, 1):
        labeled(page, f"Rule {number}").fill(rule)
        page.get_by_role("button", name="Add rule", exact=True).click()
        expect(labeled(page, f"Rule {number + 1}")).to_be_focused()
    page.get_by_role("button", name="Check rules", exact=True).last.click()
    rows = page.get_by_role("list", name="Rules").locator("> li")
    expect(rows.nth(1)).to_contain_text("Will be refused")
    expect(rows.nth(2)).to_contain_text("It opens nothing")
    check_page(page, "allowlist-checked")


def test_a_rule_is_picked_from_the_sites_own_routes(administrator: Hand, console):
    page = administrator.page
    page.goto(console("clients/new"))
    administrator.press(page.locator("summary", has_text="Pick from the"))
    administrator.fill(labeled(page, "Words"), "media")
    administrator.select(labeled(page, "Method"), "POST")
    administrator.press(page.get_by_role("button", name="Find routes"))
    administrator.tick(page.get_by_role("checkbox", name="POST /wp-json/wp/v2/media", exact=True))
    administrator.press(page.get_by_role("button", name="Add selected rules"))
    expect(labeled(page, "Rule 1")).to_have_value("POST /wp-json/wp/v2/media")


def test_a_rule_is_removed(administrator: Hand, console):
    page = administrator.page
    page.goto(console("clients/new"))
    administrator.press(page.get_by_role("button", name="See its own user"))
    expect(labeled(page, "Rule 1")).to_have_value("GET /wp-json/wp/v2/users/me")
    administrator.press(page.get_by_role("button", name="Remove GET /wp-json/wp/v2/users/me"))
    expect(labeled(page, "Rule 1")).to_have_value("")


def test_enter_in_a_field_saves_nothing(page, console):
    page.goto(console("clients/new"))
    labeled(page, "Name").fill("Backend Service")
    labeled(page, "Name").press("Enter")
    expect(page.locator("#allowlist")).to_contain_text("Nothing is saved yet.")
    expect(labeled(page, "Name")).to_have_value("Backend Service")


def test_nothing_that_is_typed_while_a_part_is_replaced_is_lost(page, console):
    page.goto(console("clients/new"))
    labeled(page, "Rule 1").fill("GET /wp-json/wp/v2/posts")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/clients/new", hold)
    with page.expect_request("**/clients/new"):
        page.get_by_role("button", name="Add rule", exact=True).click()

    for waiting in (
        labeled(page, "Rule 1"),
        labeled(page, "Client Credentials User"),
        page.get_by_role("button", name="Check rules", exact=True).last,
        page.get_by_role("button", name="Save", exact=True),
    ):
        expect(waiting).to_be_disabled()
    labeled(page, "Name").fill("Backend Service")
    held[0].continue_()

    expect(labeled(page, "Rule 2")).to_be_editable()
    expect(labeled(page, "Rule 1")).to_have_value("GET /wp-json/wp/v2/posts")
    expect(labeled(page, "Name")).to_have_value("Backend Service")
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_enabled()


def test_the_focus_stays_at_a_button_that_is_replaced(page, console):
    page.goto(console("clients/new"))
    labeled(page, "Rule 1").fill("GET /wp-json/wp/v2/posts")
    check = page.get_by_role("button", name="Check rules", exact=True).last
    check.focus()
    check.press("Enter")
    expect(page.locator("#allowlist")).to_contain_text("Nothing is saved yet.")
    expect(check).to_be_focused()


def test_a_rule_can_be_read_in_whole_on_a_telephone(page, console):
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(console("clients/new"))
    rule = "GET /wp-json/wp/v2/users/me"
    labeled(page, "Rule 1").press_sequentially(rule)
    expect(page.locator(".rule-whole", has_text=rule)).to_be_visible()
