"""`ovct show` on the command line."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import ovct
from tests.curation.audit.builders import plain_reports, write_set


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("show") / "set"
    write_set(folder, plain_reports(3))
    return folder


def test_named_reports_are_written_as_one_file(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    done = CliRunner().invoke(ovct.app, ["show", str(root), "scan-0002", "--out", str(out)])
    assert done.exit_code == 0 and done.output.startswith(f"In {out}: 1 of 1 reports, ")
    page = out.read_text(encoding="utf-8")
    assert "scan-0002" in page and "scan-0001" not in page


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--out", "page.txt"], "--out page.txt: the page is one HTML file; give a name that ends in .html"),
        (["--out", "page.html", "--port", "0"], "--out writes a file and --port serves: one at a time"),
        (["--limit", "3"], "--limit: only with --out"),
        (["scan-02", "--out", "page.html"], "has no report 'scan-02': did you mean scan-0002"),
    ],
)
def test_a_wrong_call_is_told_with_the_way_out(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(ovct.app, ["show", str(root), *arguments])
    assert done.exit_code == 2 and says in done.output
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_no_set_that_is_told(tmp_path: Path) -> None:
    done = CliRunner().invoke(ovct.app, ["show", str(tmp_path)])
    assert done.exit_code == 2 and "holds no caption set" in done.output
    done = CliRunner().invoke(ovct.app, ["show", "s3://bucket/captions"])
    assert done.exit_code == 2 and "copy the set to this machine first" in done.output
