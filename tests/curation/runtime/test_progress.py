"""Progress in a log and on a terminal."""

from types import SimpleNamespace

import pytest

from curation.runtime.progress import TerminalProgress, readable, readable_rate


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (99, "99 s"), (101, "2 min"), (7500, "2 h 05 min")])
def test_durations(seconds: float, text: str) -> None:
    assert readable(seconds) == text


@pytest.mark.parametrize(
    ("per_second", "text"),
    [(1234.5, "1,234/s"), (1.0, "1/s"), (0.99, "1.0 s/step"), (0.4, "2.5 s/step"), (0.001, "1,000.0 s/step")],
)
def test_a_rate_is_never_zero(per_second: float, text: str) -> None:
    assert readable_rate(per_second, "steps") == text


def test_progress_in_a_log_is_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("time.monotonic", lambda: clock.now)
    with TerminalProgress("reports") as progress:
        progress.start(1000, 100)
        for _ in range(100):
            clock.now += 0.5
            progress.advance()
    assert capsys.readouterr().err.splitlines() == ["160 reports, 2/s, 7 min left"]


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with TerminalProgress("reports") as progress:
        progress.start(None, 0)
        progress.advance()
        assert progress.line().startswith("1 reports, ") and "left" not in progress.line()


def test_slow_steps_are_told_in_seconds_each(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("time.monotonic", lambda: clock.now)
    with TerminalProgress("steps") as progress:
        progress.start(10, 0)
        assert progress.line() == "0 steps"
        clock.now = 20.0
        progress.advance()
        progress.set_status("loss 0.5")
        assert progress.line() == "1 steps, 20.0 s/step, 3 min left, loss 0.5"


def test_quiet_progress_shows_warnings_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr("time.monotonic", lambda: clock.now)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with TerminalProgress("reports", quiet=True) as progress:
        progress.start(10, 0)
        for _ in range(10):
            clock.now += 60.0
            progress.advance()
        progress.message("fetching a file")
        progress.warning("two rows are not in English")
    captured = capsys.readouterr()
    assert captured.err == "ovct: two rows are not in English\n" and captured.out == ""
