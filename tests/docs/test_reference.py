"""The reference pages say what the code says."""

import pytest

from docs import make

MADE = make.pages()


@pytest.mark.parametrize("name", sorted(MADE))
def test_the_page_is_what_make_docs_makes(name):
    assert (make.FOLDER / name).read_text("utf-8") == MADE[name], "run `make docs`"


def test_there_is_no_other_page():
    assert {file.name for file in make.FOLDER.iterdir()} == set(MADE)
