"""Words keep their place while the text encoder learns something else."""

from pathlib import Path

import pytest
import torch

from models.text import TextEncoder
from tests.models.encoders import tiny_encoder
from train.words.vocabulary_anchor import VocabularyAnchor

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def text(tmp_path: Path) -> TextEncoder:
    return TextEncoder.from_pretrained(tiny_encoder(tmp_path / "encoder", dropout=0.0)).train()


def test_nothing_is_lost_at_first_and_another_encoder_loses(text: TextEncoder) -> None:
    anchor = VocabularyAnchor(text, seed=0)
    assert {"left kidney", "liver"} <= set(anchor.names) and len(anchor.anchors) == len(set(anchor.names))
    assert float(anchor.loss(0).detach()) == pytest.approx(0, abs=1e-5)
    with torch.no_grad():
        for parameter in text.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    drawn = anchor.loss(3).detach()
    assert float(drawn) > 0.01 and torch.equal(anchor.loss(3).detach(), drawn)
    assert not torch.equal(anchor.loss(4).detach(), drawn)


def test_its_gradient_leads_back(text: TextEncoder) -> None:
    anchor = VocabularyAnchor(text, seed=0)
    assert len(anchor.anchors)
    with torch.no_grad():
        for parameter in text.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    optimizer = torch.optim.AdamW(text.parameters(), lr=3e-3)
    first = float(anchor.loss(0).detach())
    for step in range(15):
        optimizer.zero_grad()
        torch.autograd.backward(anchor.loss(step))
        optimizer.step()
    assert float(anchor.loss(0).detach()) < 0.7 * first
