"""What the console's templates promise: text stays text, mistakes belong to their fields, nothing is inline."""

import hashlib
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment

from appconnect.console.rendering import templates

CONSOLE = Path(__file__).parents[2] / "src" / "appconnect" / "console"
TEMPLATES = sorted((CONSOLE / "templates").glob("*.html"))
HOSTILE = """<img src=x onerror=alert(1)>"'&"""
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;&#34;&#39;&amp;"
EMPTY_NAME = SimpleNamespace(field="name", problem="The name is empty.", remedy="Give one.")
PAGE: dict[str, Any] = {
    "section": "clients",
    "user": HOSTILE,
    "site": SimpleNamespace(name=HOSTILE, url="https://your-site.com"),
    "notices": (SimpleNamespace(kind="success", text=HOSTILE),),
    "problems": (SimpleNamespace(field="name", problem=HOSTILE, remedy=HOSTILE),),
}


class Elements(HTMLParser):
    """Every start tag with its attributes, and the ids."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.ids = [attributes["id"] or "" for _, attributes in self.found if "id" in attributes]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def one(self, tag: str, **wanted: str) -> dict[str, str | None]:
        """The only element of that tag with these attributes."""
        (only,) = [has for name, has in self.found if name == tag and wanted.items() <= has.items()]
        return only


@cache
def environment() -> Environment:
    """The product's own, so that what it does not escape is seen here."""
    made = templates().overlay()
    made.globals.update(static=lambda name: f"/static/{name}", url=lambda path: f"/app-connect{path}")
    return made


def drawn(source: str, **values: Any) -> str:
    """What a page with that piece of template becomes."""
    heading = '{% import "_components.html" as ui with context %}'
    return environment().from_string(heading + source).render(hostile=HOSTILE, **{"problems": (), **values})


@pytest.mark.parametrize(
    "source",
    [
        "{{ ui.field_text(hostile, hostile, hostile, hostile, after=hostile, attrs={'placeholder': hostile}) }}",
        "{{ ui.field_textarea(hostile, hostile, hostile, hostile) }}",
        "{{ ui.field_select(hostile, hostile, [(hostile, hostile)], hostile, hostile) }}",
        "{{ ui.field_checkbox(hostile, hostile, hostile, value=hostile, description=hostile) }}",
        "{{ ui.field_checkboxes(hostile, hostile, [(hostile, hostile, hostile)], [hostile], hostile) }}",
        "{{ ui.field_radios(hostile, hostile, [(hostile, hostile, hostile)], hostile, hostile) }}",
        "{% call ui.field_static(hostile, hostile) %}{% endcall %}",
        "{{ ui.button(hostile, 'primary', hostile, hostile) }}",
        "{{ ui.button_link(hostile, hostile) }}{{ ui.action_link(hostile, hostile) }}",
        "{{ ui.post_button(hostile, hostile, fields={hostile: hostile}, about=hostile) }}",
        "{{ ui.notice('error', hostile) }}",
        "{{ ui.notices([{'kind': 'error', 'text': hostile}, {'kind': 'error', 'text': hostile}]) }}",
        "{{ ui.consequences(hostile, [hostile]) }}",
        "{{ ui.status(hostile) }}{{ ui.tag(hostile) }}{{ ui.method(hostile) }}{{ ui.time(none, hostile) }}",
        "{% call ui.table(hostile, [hostile, (hostile, 'number')], hostile) %}{% endcall %}",
        "{{ ui.row_actions([(hostile, hostile)], hostile) }}",
        "{{ ui.pagination(hostile, hostile, hostile, hostile) }}",
        "{{ ui.search(hostile, hostile, hostile, hostile, {hostile: hostile}) }}",
        "{{ ui.filter_text(hostile, hostile, hostile) }}{{ ui.filter_select(hostile, hostile, [(hostile, hostile)]) }}",
        "{{ ui.empty(hostile, hostile) }}",
        "{{ ui.tabs(hostile, [(hostile, hostile, true)]) }}",
        "{% call ui.card(hostile, hostile) %}{% endcall %}",
        "{% call ui.detail(hostile) %}{{ hostile }}{% endcall %}",
        "{% call ui.disclosure(hostile, group=hostile) %}{% endcall %}",
        "{{ ui.code_block(hostile, hostile, hostile) }}",
        "{{ ui.copyable(hostile, hostile, hostile) }}",
        "{{ ui.secret_box(hostile, hostile, hostile, hostile) }}",
        "{{ ui.bar_chart(hostile, [(hostile, 1, 2)], hostile, hostile, hostile) }}",
        "{{ ui.steps(hostile, [hostile], 1) }}",
        "{{ ui.progress(hostile, 1, 2, hostile) }}",
        "{{ ui.verdict('refused', hostile, [(hostile, 'no', hostile)]) }}",
        "{{ ui.rule_row(hostile, [hostile], 'no', hostile, [('error', hostile)], used=hostile) }}",
    ],
    ids=lambda source: re.findall(r"ui\.(\w+)", source)[0],
)
def test_a_component_escapes_what_it_is_given(source):
    html = drawn(source)
    assert ESCAPED in html or ESCAPED.replace(" ", "") in html.replace(" ", "")
    assert "<img" not in html
    assert {tag for tag, has in Elements(html).found if "onerror" in has} == set()


def test_a_page_escapes_user_site_notices_and_mistakes():
    html = environment().get_template("help.html").render(PAGE)
    assert html.count(ESCAPED) >= 5
    assert "<img" not in html


def test_a_mistake_stands_at_its_field_and_is_read_with_it():
    html = drawn("{{ ui.field_text('name', 'Name', 'x', 'For people.') }}", problems=(EMPTY_NAME,))
    field = Elements(html).one("input", name="name")
    assert field["aria-invalid"] == "true"
    assert field["aria-describedby"] == "name-error name-description"
    assert "The name is empty. Give one." in html
    assert {"name", "name-error", "name-description"} <= set(Elements(html).ids)


def test_what_was_typed_is_kept_beside_its_mistake():
    html = drawn("{{ ui.field_text('name', 'Name', 'typed') }}", problems=(EMPTY_NAME,))
    assert Elements(html).one("input")["value"] == "typed"


def test_a_field_without_a_mistake_says_nothing_of_one():
    field = Elements(drawn("{{ ui.field_text('other', 'Other') }}", problems=(EMPTY_NAME,))).one("input")
    assert field == {"class": "field-regular", "type": "text", "id": "other", "name": "other", "value": ""}


def test_the_summary_gets_the_focus_and_leads_to_the_field():
    html = environment().get_template("help.html").render({**PAGE, "problems": (EMPTY_NAME,)})
    elements = Elements(html)
    assert "autofocus" in elements.one("div", id="error-summary")
    assert elements.one("a", href="#name")
    assert "<title>Error: Help" in html


def test_copy_waits_for_the_script():
    assert "hidden" in Elements(drawn("{{ ui.copyable('abc', 'client-id', 'Client ID') }}")).one("button")


def test_a_status_has_a_word_and_a_shape():
    html = drawn("{{ ui.status('Healthy') }}")
    assert "Healthy" in html
    assert Elements(html).one("svg")["aria-hidden"] == "true"


def test_a_word_that_is_not_known_gets_no_color_of_good():
    assert "status-unknown" in drawn("{{ ui.status('Whatever') }}")


def test_a_time_is_utc_for_those_without_a_script():
    assert drawn("{{ ui.time(1763987285) }}") == (
        '<time datetime="2025-11-24T12:28:05Z">Nov 24, 2025, 12:28 UTC</time>'
    )


def test_a_time_that_never_was_says_so():
    assert ">Never<" in drawn("{{ ui.time(none) }}")


def test_a_chart_has_its_numbers_as_text():
    html = drawn("{{ ui.bar_chart('Requests', [('Backend Service', 1204, 31)], 'Allowed', 'Refused') }}")
    assert '<td class="number">1,204</td>' in html
    assert '<td class="number">31</td>' in html


def test_the_longest_bar_fills_the_chart():
    html = drawn("{{ ui.bar_chart('Requests', [('a', 50), ('b', 200)]) }}")
    assert re.findall(r'width="([\d.]+%)" height="14"/>', html) == ["25.0%", "100.0%"]


def test_a_chart_of_nothing_is_drawn():
    assert 'width="0.0%"' in drawn("{{ ui.bar_chart('Requests', [('a', 0)]) }}")


def test_ids_are_unique_where_every_component_is_shown():
    ids = Elements(environment().get_template("patterns.html").render({**PAGE, "problems": ()})).ids
    assert sorted(ids) == sorted(set(ids))


def test_every_label_and_description_of_every_component_has_its_element():
    elements = Elements(environment().get_template("patterns.html").render({**PAGE, "problems": ()}))
    named = [
        has[name] or ""
        for _, has in elements.found
        for name in ("for", "aria-describedby", "aria-labelledby")
        if name in has
    ]
    assert {one for names in named for one in names.split()} <= set(elements.ids)


def test_every_component_is_on_the_page_of_patterns():
    listed = re.findall(r"^  (\w+)\(", (CONSOLE / "templates" / "_components.html").read_text(), re.MULTILINE)
    patterns = (CONSOLE / "templates" / "patterns.html").read_text()
    assert [name for name in listed if f".{name}(" not in patterns] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_turns_off_no_escaping(path):
    assert re.findall(r"\|\s*safe\b|autoescape|Markup", path.read_text().split("#}", 1)[-1]) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_no_script_or_style_of_its_own(path):
    source = path.read_text()
    assert (
        re.findall(r"<style|\sstyle=|\son\w+=|\shx-on|javascript:|<script(?! src=\"\{\{ static)", source, re.IGNORECASE)
        == []
    )


def test_the_style_sheets_load_nothing():
    sheets = "".join(path.read_text() for path in (CONSOLE / "static").glob("*.css"))
    assert re.findall(r"url\(|@import", sheets) == []


def test_the_vendored_script_is_the_one_that_its_note_names():
    script = CONSOLE / "static" / "htmx.min.js"
    note = (CONSOLE / "static" / "htmx.min.js.txt").read_text()
    assert hashlib.sha256(script.read_bytes()).hexdigest() in note
    assert '"2.0.11"' in script.read_text()


def test_our_own_script_stays_small():
    assert len((CONSOLE / "static" / "console.js").read_text().splitlines()) < 150


def test_cancel_is_a_link_everywhere():
    cancels = [line for file in (CONSOLE / "templates").glob("*.html") for line in file.read_text().splitlines()]
    cancels = [line for line in cancels if "button_link('Cancel'" in line]

    assert len(cancels) > 5
    assert [line for line in cancels if "'link')" not in line] == []


def test_several_notices_of_a_kind_are_one():
    some = [{"kind": kind, "text": kind} for kind in ("success", "warning", "warning")]
    html = drawn("{{ ui.notices(some) }}", some=some)

    assert html.count("notice notice-success") == 1
    assert html.count("notice notice-warning") == 1
    assert html.count("<li>warning</li>") == 2
