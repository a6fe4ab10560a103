import io
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from curation.caption_set.manifest import ManifestError
from curation.caption_set.stats import SetSummary, count_set, draw, show, summary_of
from curation.pipeline import CurateJob, curate
from curation.readers.problems import problem_lines
from curation.report import RowProblem
from curation.runtime.errors import InputError
from curation.runtime.progress import TerminalProgress, readable
from tests.curation.fakes import fake_recipe, write_reports


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stats")
    reports = write_reports(folder / "r.csv", 50)
    with reports.open("a") as file:
        file.write("bad.nii.gz,CRASH.,,1\nodd.nii.gz,INVENT. Liver is normal.,,1\n")
    curate(CurateJob(reports, folder / "set", reports_per_part=20), fake_recipe())
    return folder / "set"


def printed(summary: SetSummary) -> str:
    console = Console(file=io.StringIO(), width=100)
    show(summary, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_files_say_what_the_manifest_says(root: Path) -> None:
    counted = count_set(root)
    known = summary_of(root, counted.manifest)
    assert counted.reports == known.reports == 52
    assert counted.captions == known.captions and counted.captions.total() > 200
    assert counted.rejects == known.rejects == {"engine_error": 1, "not_grounded": 1}
    assert printed(counted) == printed(known)


def test_what_is_shown(root: Path) -> None:
    text = " ".join(printed(count_set(root)).split())
    assert "engine fake, fake-1" in text
    assert "reports 52" in text
    assert "refused captions 2" in text
    assert "captions by organ normal abnormal uncertain all" in text
    assert "engine_error 1" in text
    assert f"In {root}" in text and "unfinished" not in text


def test_many_organs_are_summed_up(root: Path) -> None:
    summary = count_set(root)
    summary.captions.clear()
    summary.captions.update({(f"organ {number:02d}", "normal"): 100 - number for number in range(25)})
    text = " ".join(printed(summary).split())
    assert "organ 19 81 0 0 81 5 more 390 0 0 390 all 25 2,200 0 0 2,200" in text
    assert "organ 20" not in text


def test_an_unfinished_set_is_called_so(root: Path) -> None:
    summary = count_set(root)
    summary.manifest = summary.manifest.model_copy(update={"complete": False, "skipped": None})
    summary.rejects.clear()
    text = printed(summary)
    assert "unfinished" in text and "skipped rows" in text and "No caption was refused" in text


def test_no_set(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="holds no caption set"):
        count_set(tmp_path)


@pytest.mark.parametrize(("name", "magic"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml")])
def test_the_plot_is_the_same_each_time(root: Path, tmp_path: Path, name: str, magic: bytes) -> None:
    draw(count_set(root), tmp_path / name)
    first = (tmp_path / name).read_bytes()
    draw(count_set(root), tmp_path / name)
    assert first.startswith(magic)
    assert (tmp_path / name).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_plot_of_nothing_and_of_an_unknown_kind(root: Path, tmp_path: Path) -> None:
    summary = count_set(root)
    summary.captions.clear()
    draw(summary, tmp_path / "a.png")
    with pytest.raises(InputError, match=r"\.png or \.svg"):
        draw(summary, tmp_path / "a.bmp")


def test_problem_lines() -> None:
    problems = [RowProblem("r.csv", 7, "no text"), RowProblem("r.csv", None, "no id column")]
    assert problem_lines(problems, 1002) == ["r.csv:7: no text", "r.csv: no id column", "… and 1,000 more"]
    assert problem_lines([], 0) == []


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
