"""The pictures in the administrators' pages are those that the browser tests take."""

import re

from docs.pictures import IMAGES, shown
from tests.docs.pages import ROOT

_WORD = re.compile(r'"([a-z0-9-]+)"')
MOST_BYTES = 250_000


def named_in_browser_tests() -> set[str]:
    files = (ROOT / "tests" / "browser").glob("test_*.py")
    return {name for file in files for name in _WORD.findall(file.read_text("utf-8"))}


def test_each_picture_is_there_and_none_is_left_over():
    assert shown() == {picture.stem for picture in IMAGES.glob("*.png")}


def test_each_picture_is_small():
    assert not [picture.name for picture in IMAGES.glob("*.png") if picture.stat().st_size > MOST_BYTES]


def test_each_picture_is_taken_by_a_browser_test():
    assert shown() <= named_in_browser_tests()
