"""What a model costs and how much of what it says holds."""

from pathlib import Path

import pytest

from curation.engines.chat import Answer
from curation.llm.responses import ResponseStore
from curation.llm.usage import WINDOW, Meter, Prices, Spent


class Ledger:
    def __init__(self, spent: Spent | None = None, prices: Prices | None = None) -> None:
        self.kept: list[Spent] = []
        self.said: list[str] = []
        self.meter = Meter(spent or Spent(), prices, self.kept.append, self.said.append)


def test_costs_are_those_of_a_million_tokens() -> None:
    ledger = Ledger(Spent(prompt_tokens=2_000_000, completion_tokens=500_000, seconds=100), Prices(0.25, 2.0))
    assert "cost 1.50" in ledger.meter.line() and "5,000 tokens/s" in ledger.meter.line()
    usage = ledger.meter.usage()
    assert (usage.cost, usage.prices, usage.tokens_per_second) == (1.5, (0.25, 2.0), 5000.0)


def test_without_prices_there_is_no_cost() -> None:
    assert Ledger().meter.usage().cost is None and "cost" not in Ledger().meter.line()


def test_seconds_are_those_with_the_model_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("curation.llm.usage.time.monotonic", lambda: now[0])
    meter = Ledger().meter
    for at, step in [(100, "begin"), (101, "begin"), (103, "end"), (104, "end"), (150, "begin"), (152, "end")]:
        now[0] = float(at)
        if step == "begin":
            meter.begin()
        else:
            meter.end(Spent(questions=1))
    assert meter.spent.seconds == 6.0 and meter.spent.questions == 3


def judge(ledger: Ledger, reports: int, accepted: int, refused: int) -> None:
    for _ in range(reports):
        ledger.meter.judge(accepted, refused)


def test_a_fall_far_below_the_start_is_said_once() -> None:
    ledger = Ledger()
    judge(ledger, 100, 8, 2)
    assert ledger.meter.first_rate == 0.8 and not ledger.said
    judge(ledger, 60, 2, 8)
    assert len(ledger.said) == 1 and "of the first ones 80%" in ledger.said[0]
    judge(ledger, 100, 2, 8)
    assert len(ledger.said) == 1
    judge(ledger, 100, 8, 2)
    judge(ledger, 100, 1, 9)
    assert len(ledger.said) == 2, "a second fall after a recovery"


def test_a_slow_drift_within_reason_is_not_said() -> None:
    ledger = Ledger()
    judge(ledger, 100, 8, 2)
    judge(ledger, 200, 6, 4)
    assert not ledger.said


def test_few_captions_are_no_rate_to_go_by() -> None:
    ledger = Ledger()
    judge(ledger, 20, 10, 0)
    judge(ledger, 10, 0, 10)
    assert not ledger.said
    judge(ledger, 1, 0, WINDOW)
    assert ledger.meter.recent_rate is not None


def test_a_resumed_run_has_the_start_of_the_first(tmp_path: Path) -> None:
    store = ResponseStore(tmp_path / "r.sqlite", "mine")
    meter = Meter(store.spent(), None, store.spend, lambda _: None)
    for _ in range(60):
        meter.judge(9, 1)
    meter.flush()
    store.close()
    store = ResponseStore(tmp_path / "r.sqlite", "mine")
    assert Meter(store.spent(), None, store.spend, lambda _: None).first_rate == 0.9
    store.close()


def test_the_store_is_of_one_set_of_settings(tmp_path: Path) -> None:
    said = Answer("{}", "stop", 3, 1)
    store = ResponseStore(tmp_path / "r.sqlite", "mine")
    store.keep(b"key", said)
    store.spend(Spent(questions=1, seconds=0.5))
    assert store.get(b"key") == said and store.get(b"other") is None
    store.close()
    for owner, kept, questions in (("mine", said, 1), ("other", None, 0), ("mine", None, 0)):
        store = ResponseStore(tmp_path / "r.sqlite", owner)
        assert (store.get(b"key"), store.spent().questions) == (kept, questions)
        store.close()


def test_a_damaged_store_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "r.sqlite").write_bytes(b"no database" * 1000)
    store = ResponseStore(tmp_path / "r.sqlite", "mine")
    assert store.spent() == Spent()
    store.close()
