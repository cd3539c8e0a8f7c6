"""Every trick that is known, by its effect on real WordPress, each refusal beside what must still pass."""

import pytest

from tests.attack.cases import Case, cases
from tests.attack.promises import send

CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_the_case_ends_as_it_must(stack, case: Case):
    answer, noted = send(stack, case.client, case.attack)
    ran = [f"{each.method} {each.route}" for each in noted if each.kind == "asked"]
    assert ran == [stack.filled(each, case.client) for each in case.ran], case.why
    assert answer.status in case.status, answer
    assert case.code in (None, answer.code), answer
