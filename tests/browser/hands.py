"""Two ways to do every job: with the mouse, and by keyboard only."""

from typing import Protocol

from playwright.sync_api import Locator, Page

from tests.browser.focus import MOST_STOPS, focus, problems_of


class Hand(Protocol):
    """Somebody before a window."""

    @property
    def page(self) -> Page: ...

    def press(self, control: Locator) -> None:
        """A link or a button."""

    def fill(self, field: Locator, text: str) -> None:
        """Write over what a field holds."""

    def tick(self, box: Locator) -> None:
        """Turn a checkbox that is off on, or one that is on off."""

    def pick(self, radio: Locator) -> None:
        """Choose one radio button of its group."""

    def select(self, field: Locator, option: str) -> None:
        """Choose the option with this text."""


class Mouse:
    """Clicks."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, control: Locator) -> None:
        control.click()

    def fill(self, field: Locator, text: str) -> None:
        field.fill(text)

    def tick(self, box: Locator) -> None:
        box.click()

    def pick(self, radio: Locator) -> None:
        radio.check()

    def select(self, field: Locator, option: str) -> None:
        field.select_option(label=option)


class Keyboard:
    """Reaches each control with Tab, has to see the focus at every stop, and presses keys."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, control: Locator) -> None:
        self.reach(control)
        self.page.keyboard.press("Enter")

    def fill(self, field: Locator, text: str) -> None:
        self.reach(field)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(text)

    def tick(self, box: Locator) -> None:
        self.reach(box)
        self.page.keyboard.press("Space")

    def pick(self, radio: Locator) -> None:
        """Tab leads to the group's chosen button; the arrows go on from there."""
        group = self.page.locator(f"input[type=radio][name='{radio.get_attribute('name')}']")
        chosen = group.and_(self.page.locator(":checked"))
        self.reach(chosen if chosen.count() else group.first)
        for _ in range(group.count()):
            if radio.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        assert radio.is_checked(), "the arrows do not lead there"

    def select(self, field: Locator, option: str) -> None:
        """Typing an option's text chooses it."""
        self.reach(field)
        self.page.keyboard.type(option)
        chosen = field.evaluate("one => one.selectedOptions[0]?.text.trim()")
        assert chosen == option, f"typing leads to {chosen!r}"

    def reach(self, control: Locator) -> None:
        """Press Tab until the focus is on `control`."""
        control.wait_for()
        for _ in range(MOST_STOPS):
            if control.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
            assert not (seen := problems_of(focus(self.page))), seen
        raise AssertionError(f"{control} is not reached with Tab")
