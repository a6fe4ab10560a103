"""Progress in a log and on a terminal."""

from types import SimpleNamespace

import pytest

from curation.runtime.progress import TerminalProgress, readable


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (99, "99 s"), (101, "2 min"), (7500, "2 h 05 min")])
def test_durations(seconds: float, text: str) -> None:
    assert readable(seconds) == text


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
