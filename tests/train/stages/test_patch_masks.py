"""Masks of many prompts, a few at a time, are those of all at once."""

import pytest
import torch

from models.segmenter import Segmentation, TextSegmenter, masks
from models.stunet import STUNet
from train.config.options import Running
from train.loop.engine import TrainingEngine
from train.stages import patch_masks as module
from train.stages.patch_masks import patch_masks

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("connector", ["mlp", "cross_attention"])
def test_they_are_those_of_all_prompts_at_once(connector: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    model = TextSegmenter(STUNet("tiny"), None, connector, embedding_dim=8, hidden=16, levels=3).eval()
    with torch.no_grad():
        for name, parameter in model.connector.named_parameters():
            if name.endswith("scale_and_bias.bias"):
                parameter[1] = 0  # so that about half is in a mask
    volume, prompts = torch.randn(1, 32, 32, 64), torch.randn(7, 8)
    with torch.no_grad():
        whole = model(volume[None], prompts, full=True)
        assert isinstance(whole, Segmentation)
        expected = masks(whole.logits[0], whole.presence)[0]
    engine = TrainingEngine(Running(accelerator="cpu", precision="32-true"))
    one = patch_masks(model, volume, prompts, engine)
    monkeypatch.setattr(module, "PROMPTS_AT_ONCE", 3)
    few = patch_masks(model, volume, prompts, engine)
    assert 0.001 < expected.float().mean() < 0.999, "masks that are not all alike"
    assert (one != expected).float().mean() < 1e-4 and (few != expected).float().mean() < 1e-4
