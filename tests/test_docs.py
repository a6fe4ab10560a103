"""What the pages show as code runs."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.curation.scale_model import Assumptions, Rates, table
from models.text import DEFAULT_ENCODER
from tests.layout_page import PAGE, page_with_modules

ROOT = Path(__file__).resolve().parents[1]


def test_the_example_of_the_networks_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minilm: Path) -> None:
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    code = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    assert len(code) == 1 and DEFAULT_ENCODER in code[0]
    monkeypatch.chdir(tmp_path)
    result: dict[str, Any] = {}
    exec(code[0].replace(DEFAULT_ENCODER, str(minilm)), result)
    assert result["mask"].shape == (1, 2, 64, 64, 64) and result["mask"].dtype == torch.bool
    assert result["record"].text.embedding_dim == 384
    assert {path.suffix for path in Path("run").iterdir() if path.is_file()} == {".json", ".safetensors"}


def test_the_example_of_the_clean_text_shows_what_it_gives() -> None:
    page = (ROOT / "docs/cleaning.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    names: dict[str, Any] = {}
    exec(code, names)
    shown = re.findall(r"^(clean\.\S+(?: \S+)?\)?) +# (.*)$", code, re.M)
    assert len(shown) == 3
    for expression, value in shown:
        assert repr(eval(expression, names)) == value.partition(": ")[0], expression


def test_the_plan_is_what_the_model_says() -> None:
    """Tables of docs/scale.md, from the rates and assumptions as they stand."""
    page = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    for model in (False, True):
        assert "\n".join(table(Rates(), Assumptions(), model)) in page, (
            "python -m benchmarks.curation.scale_model prints the tables"
        )


# A path in code quotes that begins in a folder of ours and is no volume of a data set.
OUR_PATH = re.compile(r"`((?:curation|train|models|prompts|tests|benchmarks|examples)/(?![^`]*\.nii)[\w/.-]*)`")


def test_the_layout_page_lists_every_module() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_modules(page), "python -m tests.layout_page writes the list anew"


def test_every_path_in_the_pages_exists() -> None:
    """Paths of our folders, in code quotes, as a reader would open them."""
    wrong = []
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for name in OUR_PATH.findall(page.read_text(encoding="utf-8")):
            if not (ROOT / name).exists() and not (ROOT / f"{name}.py").exists():
                wrong.append(f"{page.name}: {name}")
    assert wrong == []
