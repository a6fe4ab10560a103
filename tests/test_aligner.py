"""Volumes and texts in one space: lengths, pooling, and that a cached pooling gives the same."""

import pytest
import torch

from models.aligner import Aligner
from models.logit_scale import INITIAL_LOG_SCALE
from models.stunet import STUNet
from models.text import TextEncoder
from tests.encoders import tiny_encoder
from tests.tiny import volume


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> TextEncoder:
    return TextEncoder.from_pretrained(tiny_encoder(tmp_path_factory.mktemp("encoder")))


def test_the_logit_scale_starts_where_clip_starts(text: TextEncoder) -> None:
    aligner = Aligner(STUNet("tiny"), text)
    assert aligner.log_scale.exp().item() == pytest.approx(1 / 0.07)
    assert pytest.approx(2.6592600) == INITIAL_LOG_SCALE


@pytest.mark.parametrize(("pooling", "channels"), [("mean", 64), ("max", 64), ("mean_max", 128)])
def test_pooling(text: TextEncoder, pooling: str, channels: int) -> None:
    aligner = Aligner(STUNet("tiny"), text, pooling=pooling).eval()  # type: ignore[arg-type]
    x = volume(2, 32, 32, 64)
    pooled = aligner.pool(x)
    assert pooled.shape == (2, channels)
    bottleneck = aligner.image.encode(x)[-1]
    if pooling != "max":
        torch.testing.assert_close(pooled[:, :64], bottleneck.mean(dim=(2, 3, 4)))
    if pooling != "mean":
        torch.testing.assert_close(pooled[:, -64:], bottleneck.amax(dim=(2, 3, 4)))
    image, texts = aligner(pooled, ["a liver", "a spleen", "no liver"])
    torch.testing.assert_close(image.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(3))
    assert image.shape[1] == texts.shape[1] == text.embedding_dim
    torch.testing.assert_close(aligner(aligner.pool(x[1:]), ["a liver"])[0], image[1:])


def test_an_unknown_pooling_is_told(text: TextEncoder) -> None:
    with pytest.raises(ValueError, match="one of mean, max, mean_max, not 'sum'"):
        Aligner(STUNet("tiny"), text, pooling="sum")  # type: ignore[arg-type]
