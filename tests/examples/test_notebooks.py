"""The notebooks of `examples/notebooks` run from their first cell to the last, and are stored without outputs."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

NOTEBOOKS = Path(__file__).resolve().parents[2] / "examples" / "notebooks"
FILES = sorted(NOTEBOOKS.glob("*.ipynb"))
ID = re.compile(r"[\w-]{1,64}")


def cells_of(path: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


def run(path: Path) -> tuple[dict[str, Any], list[Any]]:
    """Run the cells as a kernel does; return the names that they leave, and the value of each cell's last line."""
    names: dict[str, Any] = {"__name__": "__main__"}
    values = []
    for number, cell in enumerate(cells_of(path)):
        if cell["cell_type"] != "code":
            continue
        tree = ast.parse("".join(cell["source"]), f"{path.name}, cell {number}")
        last = tree.body[-1]
        if isinstance(last, ast.Expr):
            del tree.body[-1]
        exec(compile(tree, f"{path.name}, cell {number}", "exec"), names)
        if isinstance(last, ast.Expr):
            values.append(eval(compile(ast.Expression(last.value), f"{path.name}, cell {number}", "eval"), names))
    return names, values


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_notebook_is_one_of_version_4_without_outputs(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    identifiers = [cell["id"] for cell in notebook["cells"]]
    assert len({*identifiers}) == len(identifiers) and all(map(ID.fullmatch, identifiers))
    for cell in notebook["cells"]:
        expected = {"cell_type", "id", "metadata", "source"}
        if cell["cell_type"] == "code":
            expected |= {"execution_count", "outputs"}
            assert cell["outputs"] == [] and cell["execution_count"] is None
        assert {*cell} == expected and all(line.endswith("\n") for line in cell["source"][:-1])


def test_reports_become_captions_that_are_shown_checked_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names, values = run(NOTEBOOKS / "captions.ipynb")
    assert names["checked"].accepted.tolist() == [True, False, False]
    assert names["checked"].reason.tolist()[1:] == ["measurement", "laterality"]
    assert "<iframe" in values[2]._repr_html_() and values[2].reports == 2
    captions = names["tables"].captions
    assert {"liver", "spleen", "left kidney", "right kidney"} <= {*captions.organ} and len(captions) >= 8
    assert values[-1].to_numpy().sum() == len(captions)


@pytest.mark.usefixtures("one_thread")
def test_a_phantom_is_segmented_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOKS.parents[1]))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # processes of its own
    monkeypatch.chdir(tmp_path)
    names, values = run(NOTEBOOKS / "masks.ipynb")
    assert [row.name for row in names["result"].table] == ["lungs", "liver"]
    assert names["dice"] > 0.5 and (tmp_path / "mask.nii.gz").is_file()
    assert values[-1].structures == ("lungs", "liver") and "<iframe" in values[-1]._repr_html_()
