"""One stack of each kind under attack, shared by all the tests of a run."""

from collections.abc import Iterator

import pytest

from tests.attack.stacks import STACKS, Attacked, attacked


@pytest.fixture(scope="session", params=sorted(STACKS))
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    with attacked(request.param, tmp_path_factory.mktemp("attacked")) as running:
        yield running
