"""The Python API: every example of docs/api.md, and what it does with other inputs than files."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ovct
from tests.train.training_worlds import make_world, trained

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "api.md"


def examples_of(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S)


@pytest.fixture
def workplace(tmp_path: Path, examples: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the examples take for granted."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports.csv").write_bytes((examples / "reports.csv").read_bytes())
    return tmp_path


@pytest.mark.usefixtures("one_thread")
def test_the_examples_run(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = make_world(workplace / "world")
    trained("segment", world, workplace / "runs" / "segment", steps=2, evaluate_every=2, save_every=2)
    (workplace / "ct.nii.gz").write_bytes((world.data / "s0" / "ct.nii.gz").read_bytes())
    capsys.readouterr()
    names: dict[str, Any] = {}
    for code in examples_of(PAGE):
        exec(code, names)
    printed = capsys.readouterr().out
    assert "1164 captions of 43 reports" in printed
    assert "ids from report_id, text from findings + impression" in printed
    assert [(result.accepted, result.reason) for result in names["results"]] == [(True, None), (False, "measurement")]
    assert "2 no-such-file.csv: no such file or folder" in printed
    assert (workplace / "mask.nii.gz").exists() and len(names["result"].table) == 2
    assert names["shown"].structures == ("left kidney", "renal organ")
    assert (workplace / "mask.html").read_text(encoding="utf-8") == names["shown"].page
    assert "<iframe" in names["shown"]._repr_html_()


def test_an_example_of_the_readme_runs(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ovct.curate("reports.csv")
    for code in examples_of(ROOT / "README.md"):
        exec(code, {})
    assert "angio-01" not in capsys.readouterr().err


def test_a_frame_and_texts_give_the_captions_of_a_file(workplace: Path) -> None:
    frame = pd.read_csv("reports.csv", dtype=str).head(5)
    frame.to_csv("five.csv", index=False)
    ovct.curate("five.csv", out="from-file")
    ovct.curate(frame, out="from-frame")
    expected = ovct.load("from-file").captions
    assert len(expected) > 20
    pd.testing.assert_frame_equal(ovct.load("from-frame").captions, expected)
    again = ovct.curate(frame, out="from-frame")
    assert again.already_done
    texts = [f"{row.findings}" for row in frame.itertuples()]
    ovct.curate(iter(texts), out="from-texts")
    reports = ovct.load("from-texts").reports
    assert reports.text.tolist() == texts and reports.report_id.tolist()[0] == "report-000001"


def test_a_frame_with_two_columns_of_one_name_is_read(workplace: Path) -> None:
    frame = pd.DataFrame(
        [["a", "The liver is normal.", "The spleen is large."]], columns=["id", "findings", "findings"]
    )
    run = ovct.curate(frame, out="from-twins")
    assert run.input is not None and run.input.name == "the DataFrame"
    assert [problem.file for problem in run.problems] == ["the DataFrame"]
    assert ovct.load("from-twins").reports.text.tolist() == ["The liver is normal.\n\nThe spleen is large."]


def test_what_is_no_report_is_an_error(workplace: Path) -> None:
    with pytest.raises(ovct.OvctError, match="report 2 is a int"):
        ovct.curate(["The liver is normal.", 3], out="out")  # type: ignore[list-item]
    with pytest.raises(ovct.OvctError, match="there are no texts"):
        ovct.curate([], out="out")
    with pytest.raises(ovct.OvctError, match="limit 0: expected at least one report"):
        ovct.curate("reports.csv", out="out", limit=0)
    with pytest.raises(ovct.OvctError, match=r"^the DataFrame: no column is known"):
        ovct.curate(pd.DataFrame({"a": ["b"]}), out="out")
    with pytest.raises(ovct.OvctError, match="--modality xy: no modality"):
        ovct.curate("reports.csv", out="out", modality="xy")
    with pytest.raises(ovct.OvctError, match="of no use to the engine rules"):
        ovct.curate("reports.csv", out="out", base_url="http://localhost:1")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "captions",
    [
        [("liver", "The liver is normal")],
        [{"organ": "liver", "caption": "The liver is normal", "rank": 1}],
        [{"Organ": "liver", "CAPTION": "The liver is normal"}],
        pd.DataFrame({"caption": ["The liver is normal"], "organ": ["liver"]}),
    ],
    ids=["pairs", "mappings", "capitals", "frame"],
)
def test_captions_of_every_kind_are_verified(captions: Any) -> None:
    report = "FINDINGS: The liver is normal. No effusion."
    (result,) = ovct.verify(report, captions)
    assert result.accepted and result.reason is None
    assert report[result.evidence_start : result.evidence_end] == result.evidence == "The liver is normal."


@pytest.mark.parametrize("wrong", [["liver: normal"], [{"organ": "liver"}], [("liver", None)], [3]])
def test_what_is_no_caption_is_an_error(wrong: Any) -> None:
    with pytest.raises(ovct.OvctError, match="caption 1: an organ and a caption are expected"):
        ovct.verify("The liver is normal.", wrong)


def test_a_set_without_parts_loads_empty(workplace: Path) -> None:
    with pytest.raises(ovct.OvctError):
        ovct.load("nowhere")


def test_import_loads_nothing_heavy() -> None:
    code = "import ovct, sys; print(sorted({'torch', 'pandas', 'pyarrow', 'pydantic', 'typer'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['typer']"
    assert set(ovct.__all__) <= set(dir(ovct))
    with pytest.raises(AttributeError, match="has no attribute 'curat'"):
        _ = ovct.curat


def test_the_stub_has_what_the_module_has() -> None:
    stub = ast.parse((ROOT / "curation" / "api" / "ovct.pyi").read_text(encoding="utf-8"))
    imported = {
        alias.name: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    assert imported == ovct.API and sorted(imported) == sorted(ovct.__all__)


def test_what_segment_cannot_use_is_an_error_of_ours(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ovct.OvctError, match="no such file; a checkpoint is a folder"):
        ovct.segment("ct.nii.gz", ["liver"], checkpoint="nowhere")
    monkeypatch.setitem(sys.modules, "train.inference.segmenting", None)
    monkeypatch.delattr("train.inference.segmenting")
    with pytest.raises(ovct.OvctError, match=r"is not installed: install ovct with its extra 'train'"):
        ovct.segment("ct.nii.gz", ["liver"], checkpoint="nowhere")


def test_what_view_cannot_show_is_an_error_of_ours(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ovct.OvctError, match=r"ct\.nii\.gz: no such file"):
        ovct.view("ct.nii.gz", ["mask.nii.gz"])
    with pytest.raises(ovct.OvctError, match="max_voxels is 0"):
        ovct.view("ct.nii.gz", max_voxels=0)
    monkeypatch.setitem(sys.modules, "train.viewer.content", None)
    with pytest.raises(ovct.OvctError, match=r"is not installed: install ovct with its extra 'train'"):
        ovct.view("ct.nii.gz")


def test_an_unknown_argument_is_named(workplace: Path) -> None:
    with pytest.raises(ovct.OvctError, match=r"ovct\.curate has no argument 'text_column'"):
        ovct.curate("reports.csv", text_column="findings")  # type: ignore[call-arg]


@pytest.fixture
def shadow(tmp_path: Path) -> Iterator[Path]:
    """A user's folder with a package named as one of ours."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "__init__.py").write_text("mine = True\n")
    yield tmp_path


def run_in(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code behind `import ovct` in a process for which the packages in `folder` come first."""
    script = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]; import ovct; {code}"
    return subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(
    "code",
    [
        "import ovct; ovct.verify('a', [])",
        "import models, ovct; ovct.load('captions')",
        "import ovct; ovct.app",
    ],
)
def test_a_package_that_hides_ours_is_named(shadow: Path, code: str) -> None:
    script = f"import sys; sys.path[:0] = [{str(shadow)!r}, {str(ROOT)!r}]; {code}"
    done = subprocess.run([sys.executable, "-c", script], cwd=shadow, capture_output=True, text=True)
    assert f"the package 'models' comes from {shadow / 'models'}" in done.stderr and "pipx install" in done.stderr


def test_the_base_of_errors_can_be_named_where_a_package_is_hidden(shadow: Path) -> None:
    script = (
        f"import sys; sys.path[:0] = [{str(shadow)!r}, {str(ROOT)!r}]; import ovct; print(ovct.OvctError.exit_code)"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=shadow, capture_output=True, text=True)
    assert done.stdout == "1\n", done.stderr


def test_a_folder_named_as_our_data_does_no_harm(workplace: Path) -> None:
    (workplace / "data_cards").mkdir()
    done = run_in(workplace, "ovct.curate('reports.csv', limit=1)")
    assert done.returncode == 0, done.stderr


def test_the_command_says_so_without_a_traceback(shadow: Path) -> None:
    script = (
        f"import sys; sys.path[:0] = [{str(shadow)!r}, {str(ROOT)!r}]; import ovct; sys.argv = ['ovct']; ovct.main()"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=shadow, capture_output=True, text=True)
    assert (
        done.returncode == 2 and done.stderr.startswith("ovct: the package 'models'") and "Traceback" not in done.stderr
    )
