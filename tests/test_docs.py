"""What the pages show as code runs."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.curation.scale_model import Assumptions, Rates, table
from models.text import DEFAULT_ENCODER

ROOT = Path(__file__).resolve().parents[1]


def test_the_example_of_the_networks_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, minilm: Path) -> None:
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    code = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    assert len(code) == 1 and DEFAULT_ENCODER in code[0]
    monkeypatch.chdir(tmp_path)
    result: dict[str, Any] = {}
    exec(code[0].replace(DEFAULT_ENCODER, str(minilm)), result)
    assert result["found"].shape == (1, 2, 64, 64, 64) and result["found"].dtype == torch.bool
    assert result["record"].text.embedding_dim == 384
    assert {path.suffix for path in Path("run").iterdir() if path.is_file()} == {".json", ".safetensors"}


def test_the_plan_is_what_the_model_says() -> None:
    """Tables of docs/scale.md, from the rates and assumptions as they stand."""
    page = (ROOT / "docs/scale.md").read_text(encoding="utf-8")
    for model in (False, True):
        assert "\n".join(table(Rates(), Assumptions(), model)) in page, (
            "python -m benchmarks.curation.scale_model prints the tables"
        )
