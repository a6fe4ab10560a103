"""What the trials of faults share: the fixture that counts them (``trials.py`` says how)."""

from collections.abc import Iterator

import pytest

from tests.faults.trials import Trials, recorded


@pytest.fixture
def trials(request: pytest.FixtureRequest) -> Iterator[Trials]:
    """The trials of a test, by their names; what they come to is printed when all tests are done."""
    trials = Trials()
    yield trials
    recorded(trials, request.node)
