"""Which evaluations a run leaves out, by a clock that the test moves."""

import pytest

from curation.runtime.progress import Progress
from train.config.options import Running
from train.loop import evaluation_budget
from train.loop.engine import TrainingEngine
from train.loop.evaluation_budget import EvaluationBudget


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Said(Progress):
    text = ""

    def message(self, text: str) -> None:
        self.text += text


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(evaluation_budget, "time", clock)
    return clock


def test_evaluations_keep_to_their_share_of_the_time(clock: Clock) -> None:
    engine, said = TrainingEngine(Running(accelerator="cpu", precision="32-true")), Said()
    budget = EvaluationBudget(0.1)
    done = []
    for step in range(1, 101):  # each takes a second, and an evaluation, which is due at every fifth, three
        clock.now += 1
        if step % 5 == 0 and budget.allows(engine, said):
            with budget.measured():
                clock.now += 3
            done.append(step)
    assert done == [5, 60, 85], "what the first takes is not known before"
    assert budget.spent == 9 and budget.spent <= 0.1 * clock.now
    assert said.text.count("an evaluation takes 3 s") == 1 and "10%" in said.text


def test_a_share_of_one_leaves_none_out(clock: Clock) -> None:
    engine, budget = TrainingEngine(Running(accelerator="cpu", precision="32-true")), EvaluationBudget(1.0)
    for _ in range(3):
        assert budget.allows(engine, Progress())
        with budget.measured():
            clock.now += 100
