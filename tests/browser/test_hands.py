"""Mouse and keyboard do the same jobs, and the keyboard sees what a person without a mouse would."""

import pytest

from tests.browser.hands import Hand, Keyboard

FORM = """
<form>
  <label>Name <input name="name" value="Old"></label>
  <fieldset><legend>Access Mode</legend>
    <label><input type="radio" name="mode" value="restricted" checked> Restricted</label>
    <label><input type="radio" name="mode" value="full"> Full</label>
  </fieldset>
  <label><input type="checkbox" name="embed" value="1"> Embed</label>
  <label>Client Credentials User
    <select name="user"><option>admin</option><option>author</option></select></label>
  <button>Save</button>
</form>
"""


def test_every_control_of_a_form_is_used(newcomer: Hand):
    page = newcomer.page
    page.set_content(FORM)
    newcomer.fill(page.get_by_label("Name"), "Backend Service")
    newcomer.pick(page.get_by_label("Full"))
    newcomer.tick(page.get_by_label("Embed"))
    newcomer.select(page.get_by_label("Client Credentials User"), "author")
    values = page.evaluate("() => Object.fromEntries(new FormData(document.forms[0]))")
    assert values == {"name": "Backend Service", "mode": "full", "embed": "1", "user": "author"}


def test_the_keyboard_does_not_reach_what_only_a_mouse_can_press(visitor):
    visitor.set_content(f"{FORM}<div id='only-mouse'>Delete</div>")
    with pytest.raises(AssertionError, match="not reached"):
        Keyboard(visitor).press(visitor.locator("#only-mouse"))


def test_the_keyboard_stops_where_the_focus_does_not_show(visitor):
    visitor.set_content(f"<style>input {{ outline: none }}</style>{FORM}")
    with pytest.raises(AssertionError, match="Name shows no focus"):
        Keyboard(visitor).press(visitor.get_by_role("button", name="Save"))
