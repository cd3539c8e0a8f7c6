"""Every link leads somewhere, and every file that a page names is there."""

from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, code_spans, links, name

FOLDERS = ("src/", "tests/", "docs/", "demo/", "bench/", "scripts/", ".ci/")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_relative_link_leads_to_a_file_and_an_anchor_in_it(page: Path):
    broken = [link for link in links(page) if "://" not in link and not _resolves(page, link)]
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_in_backticks_exists(page: Path):
    named = [text for text in code_spans(page) if text.startswith(FOLDERS) and " " not in text]
    missing = [text for text in named if not (ROOT / text).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_page_names_no_machine_and_ends_with_a_line(page: Path):
    text = page.read_text("utf-8")
    assert str(ROOT) not in text
    assert "/home/" not in text
    assert text.endswith("\n")


def _resolves(page: Path, link: str) -> bool:
    file, _, anchor = link.partition("#")
    target = (page.parent / file).resolve() if file else page
    return target.exists() and (not anchor or anchor in anchors(target))
