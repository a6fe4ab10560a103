"""Checkpoints that version 0.1.0 wrote still load: the same record, and the same names and shapes of weights."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from models.checkpoint import load_checkpoint
from models.text import TextEncoder
from models.weights_file import digest_of
from tests.models.encoders import tiny_encoder
from train.loop.resume import saved_step

FOLDER = Path(__file__).parent / "old_checkpoints"
STAGES = ("pretrain", "align", "segment")
# What a setting of 0.1.0 is called today.
NEW_NAMES = {"words_weight": "anchor_weight", "reading": "mgcl_variant", "rescue_weight": "missed_structure_weight"}


def old(stage: str) -> dict[str, Any]:
    """Of one small run of that version: its record, the shapes of its weights, and the record that it resumes by."""
    content: dict[str, Any] = json.loads((FOLDER / f"{stage}.json").read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("stage", STAGES)
def test_it_loads(stage: str, tmp_path: Path) -> None:
    content = old(stage)
    record, shapes = content["record"], content["tensors"]
    if record["text"] is not None:
        folder = tmp_path / record["text"]["directory"]
        tiny_encoder(tmp_path / "drawn", dropout=0.0)
        encoder = TextEncoder.from_pretrained(tmp_path / "drawn")
        encoder.save(folder)
        record["text"]["fingerprint"] = encoder.fingerprint()
    draw = torch.Generator().manual_seed(0)
    weights = {name: torch.rand(shape, generator=draw) for name, shape in shapes.items()}
    save_file(weights, tmp_path / "drawn.safetensors")
    record["weights"] = f"weights-{digest_of(tmp_path / 'drawn.safetensors')[:16]}.safetensors"
    (tmp_path / "drawn.safetensors").rename(tmp_path / record["weights"])
    (tmp_path / "checkpoint.json").write_text(json.dumps(record), encoding="utf-8")
    model, loaded = load_checkpoint(tmp_path, "cpu")
    state = model.state_dict()
    assert all(torch.equal(state[name], tensor) for name, tensor in weights.items())
    assert (loaded.kind, loaded.stage) == (record["kind"], stage)
    assert loaded.trained_on[-1] == record["trained_on"][-1]


@pytest.mark.parametrize("stage", STAGES)
def test_its_run_goes_on(stage: str, tmp_path: Path) -> None:
    resume = old(stage)["resume"]
    (tmp_path / "resume.json").write_text(json.dumps(resume), encoding="utf-8")
    settings = {NEW_NAMES.get(name, name): value for name, value in resume["settings"].items()}
    assert saved_step(tmp_path, settings) == 4
