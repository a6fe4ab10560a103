"""Volumes and texts in one space: lengths, pooling, and that a cached pooling gives the same."""

from itertools import pairwise

import pytest
import torch
from torch.nn import functional

from models.aligner import INITIAL_LOG_SCALE, Aligner
from models.pooling import EDGES, RANGES
from models.stunet import STUNet
from models.text import TextEncoder
from tests.models.encoders import tiny_encoder
from tests.models.tiny import volume


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


def test_an_unknown_pooling_is_refused(text: TextEncoder) -> None:
    with pytest.raises(ValueError, match="one of structures_hu, structures, mean, max, mean_max, not 'sum'"):
        Aligner(STUNet("tiny"), text, pooling="sum")  # type: ignore[arg-type]


def test_structures_are_pooled_as_the_network_outlines_them(text: TextEncoder) -> None:
    image = STUNet("tiny", num_classes=3)
    aligner, x = Aligner(image, text, pooling="structures").eval(), volume(2, 32, 32, 64)
    with torch.no_grad():
        pooled, finest = aligner.pool(x), image.decode(image.encode(x))
        shares = image(x).softmax(dim=1)
    assert pooled.shape == (2, 3 * (1 + image.feature_channels[0]))
    for row in range(2):
        for number, pooled_class in enumerate(pooled[row].view(3, -1)):
            voxels = shares[row, number].sum()
            torch.testing.assert_close(pooled_class[0], voxels.log1p(), rtol=1e-4, atol=1e-4)
            mean = (finest[row] * shares[row, number]).sum(dim=(1, 2, 3)) / voxels
            torch.testing.assert_close(pooled_class[1:], mean, rtol=1e-4, atol=1e-4)
    with torch.no_grad():  # a class that is nowhere has no volume and no features
        image.seg_outputs[-1].bias[2] = -1e4  # type: ignore[operator]
        assert not aligner.pool(x).view(2, 3, -1)[:, 2].any()


def test_voxels_of_a_structure_are_counted_by_their_hu(text: TextEncoder) -> None:
    image = STUNet("tiny", num_classes=3)
    plain = Aligner(image, text, pooling="structures").eval()
    aligner = Aligner(image, text, pooling="structures_hu").eval()
    assert aligner.reads_hounsfield and not plain.reads_hounsfield
    x = volume(1, 32, 32, 64)
    hounsfield = torch.linspace(-1100, 1500, x.numel()).view_as(x)
    with torch.no_grad():
        pooled = aligner.pool(torch.cat((x, hounsfield), dim=1)).view(3, -1)
        shares = image(x).softmax(dim=1)[0]
        torch.testing.assert_close(pooled[:, : -2 * RANGES], plain.pool(x).view(3, -1))
    near = functional.interpolate(
        functional.max_pool3d(functional.max_pool3d(shares, 2), 3, stride=1, padding=1)[None], scale_factor=2
    )[0]
    ends = (-torch.inf, *EDGES, torch.inf)
    for place, (low, high) in enumerate(pairwise(ends)):
        lies_in = (hounsfield[0, 0] >= low) & (hounsfield[0, 0] < high)
        inside, around = shares[:, lies_in].sum(dim=1), (near * shares[:1])[:, lies_in].sum(dim=1)
        torch.testing.assert_close(pooled[:, place - 2 * RANGES], inside.log1p(), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(pooled[:, place - RANGES], around.log1p(), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="takes volumes of 2 channels, not 1"):
        aligner.pool(x)


def test_structures_take_a_network_that_outlines_them(text: TextEncoder) -> None:
    with pytest.raises(ValueError, match="this one has no heads; take 'mean_max'"):
        Aligner(STUNet("tiny"), text, pooling="structures")


def test_vectors_are_standardised_as_those_that_were_seen(text: TextEncoder) -> None:
    aligner = Aligner(STUNet("tiny"), text, pooling="mean").eval()
    seen = torch.randn(50, 64, generator=torch.Generator().manual_seed(0)) * 7 + 3
    seen[:, 0] = 5
    before = aligner.embed_pooled(seen)
    aligner.standardised.fit(seen)
    standard = aligner.standardised(seen)
    torch.testing.assert_close(standard.mean(dim=0), torch.zeros(64), atol=1e-5, rtol=0)
    torch.testing.assert_close(standard[:, 1:].std(dim=0, correction=0), torch.ones(63), atol=1e-3, rtol=0)
    # A feature that never moved decides nothing when it first does.
    assert aligner.standardised(seen[:1] + 0.1)[0, 0].abs() < 3
    assert not torch.allclose(before, aligner.embed_pooled(seen))


def test_a_part_by_organ_is_made_of_its_own_classes(text: TextEncoder) -> None:
    image = STUNet("tiny", num_classes=4)
    aligner = Aligner(image, text, pooling="structures", mgcl="organ")
    pooled = torch.randn(3, 4 * (1 + image.feature_channels[0]), generator=torch.Generator().manual_seed(0))
    masks = torch.tensor([[False, True, False, False], [False, True, True, False]])
    parts = aligner.embed_organs(pooled, masks)
    assert parts.shape == (3, 2, text.embedding_dim)
    torch.testing.assert_close(parts.norm(dim=2), torch.ones(3, 2))
    moved = pooled.clone().view(3, 4, -1)
    moved[:, 2] += 1
    again = aligner.embed_organs(moved.flatten(1), masks)
    torch.testing.assert_close(again[:, 0], parts[:, 0])
    assert not torch.allclose(again[:, 1], parts[:, 1])
    members = {part for members in aligner.parts().values() for part in members if isinstance(part, torch.nn.Module)}
    assert aligner.organ_projection in members


def test_parts_by_organ_are_for_models_that_learned_them(text: TextEncoder) -> None:
    image = STUNet("tiny", num_classes=4)
    with pytest.raises(ValueError, match="takes the pooling 'structures_hu' or 'structures', not 'mean'"):
        Aligner(image, text, pooling="mean", mgcl="organ")
    with pytest.raises(ValueError, match="--mgcl volume"):
        Aligner(image, text, pooling="structures").embed_organs(torch.zeros(1, 132), torch.ones(1, 4).bool())
