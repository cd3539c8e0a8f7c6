"""The performance page says what was measured, and why an aim is not met."""

from bench.page import FILE, limit_of, render
from bench.results import Results

RESULTS = Results.read()
AIMS = [aim for one in RESULTS.questions for aim in one.answer.aims]


def test_the_page_is_what_the_results_render_to():
    assert FILE.read_text("utf-8") == render(RESULTS), "run `python -m bench.page`"


def test_each_aim_that_is_not_met_has_what_limits_it():
    assert [aim.text for aim in AIMS if not aim.is_met and not limit_of(aim)] == []


def test_every_question_was_answered():
    assert [one.name for one in RESULTS.questions if one.failure or not one.answer.rows] == []
