"""The costs of a model, and the share of its captions that is accepted."""

from pathlib import Path

import pytest

from curation.llm.answer_store import AnswerStore
from curation.llm.usage import WINDOW, Prices, UsageCounts, UsageMeter


class RecordedMeter:
    """A meter whose savings and warnings are recorded."""

    def __init__(self, counts: UsageCounts | None = None, prices: Prices | None = None) -> None:
        self.saved: list[UsageCounts] = []
        self.warnings: list[str] = []
        self.meter = UsageMeter(counts or UsageCounts(), prices, self.saved.append, self.warnings.append)


def test_costs_are_those_of_a_million_tokens() -> None:
    recorded = RecordedMeter(
        UsageCounts(prompt_tokens=2_000_000, completion_tokens=500_000, seconds=100), Prices(0.25, 2.0)
    )
    assert "cost 1.50" in recorded.meter.line() and "5,000 tokens/s" in recorded.meter.line()
    usage = recorded.meter.usage()
    assert (usage.cost, usage.prices, usage.tokens_per_second) == (1.5, (0.25, 2.0), 5000.0)


def test_without_prices_there_is_no_cost() -> None:
    assert RecordedMeter().meter.usage().cost is None and "cost" not in RecordedMeter().meter.line()


def test_seconds_are_those_with_the_model_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("curation.llm.usage.time.monotonic", lambda: now[0])
    meter = RecordedMeter().meter
    for at, step in [(100, "begin"), (101, "begin"), (103, "end"), (104, "end"), (150, "begin"), (152, "end")]:
        now[0] = float(at)
        if step == "begin":
            meter.begin()
        else:
            meter.end(UsageCounts(questions=1))
    assert meter.counts.seconds == 6.0 and meter.counts.questions == 3


def judge(recorded: RecordedMeter, reports: int, accepted: int, refused: int) -> None:
    for _ in range(reports):
        recorded.meter.judge(accepted, refused)


def test_a_fall_far_below_the_start_is_said_once() -> None:
    recorded = RecordedMeter()
    judge(recorded, 100, 8, 2)
    assert recorded.meter.first_rate == 0.8 and not recorded.warnings
    judge(recorded, 60, 2, 8)
    assert len(recorded.warnings) == 1 and "of the first ones 80%" in recorded.warnings[0]
    judge(recorded, 100, 2, 8)
    assert len(recorded.warnings) == 1
    judge(recorded, 100, 8, 2)
    judge(recorded, 100, 1, 9)
    assert len(recorded.warnings) == 2, "a second fall after a recovery"


def test_a_slow_drift_within_reason_is_not_said() -> None:
    recorded = RecordedMeter()
    judge(recorded, 100, 8, 2)
    judge(recorded, 200, 6, 4)
    assert not recorded.warnings


def test_few_captions_are_no_rate_to_go_by() -> None:
    recorded = RecordedMeter()
    judge(recorded, 20, 10, 0)
    judge(recorded, 10, 0, 10)
    assert not recorded.warnings
    judge(recorded, 1, 0, WINDOW)
    assert recorded.meter.recent_rate is not None


def test_a_resumed_run_has_the_start_of_the_first(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "r.sqlite", "mine")
    meter = UsageMeter(store.usage(), None, store.add_usage, lambda _: None)
    for _ in range(60):
        meter.judge(9, 1)
    meter.flush()
    store.close()
    store = AnswerStore(tmp_path / "r.sqlite", "mine")
    assert UsageMeter(store.usage(), None, store.add_usage, lambda _: None).first_rate == 0.9
    store.close()
