"""STU-Net against the published network's own numbers, against the same network written plainly, with wrong input."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.architecture import ARCHITECTURES, PUBLISHED_LABELS, Architecture
from models.stunet import STUNet

# Parameters in all with 105 outputs, of the encoder, of the decoder without heads: as published and counted elsewhere.
COUNTS = {
    "S": (14_596_941, 7_185_744, 7_358_592),
    "B": (58_262_669, 28_731_552, 29_426_432),
    "L": (440_302_605, 246_968_256, 193_125_504),
    "H": (1_457_326_221, 852_780_384, 604_232_832),
}


@pytest.fixture(scope="module")
def notes() -> Path:
    folder = Path(__file__).resolve().parents[3] / "shared" / "notes"
    if not folder.is_dir():
        pytest.skip(f"no reference numbers at {folder}")
    return folder


def reference_weights(network: nn.Module) -> dict[str, Tensor]:
    """Return the weights of the reference numbers: a sine of the flat index, shifted by the place of the name."""
    state = network.state_dict()
    for number, name in enumerate(sorted(state)):
        shape = state[name].shape
        wave = torch.sin(0.7 * torch.arange(shape.numel(), dtype=torch.float64) + number).view(shape)
        if len(shape) == 5:
            state[name] = wave / math.sqrt(shape[1:].numel())
        else:
            state[name] = 1 + 0.1 * wave if "norm" in name and name.endswith("weight") else 0.1 * wave
    return state


def reference_volume() -> Tensor:
    deep, high, wide = torch.meshgrid(*(torch.arange(n, dtype=torch.float64) for n in (32, 32, 64)), indexing="ij")
    return torch.sin(0.11 * deep + 0.23 * high + 0.37 * wide)[None, None]


def reference_network(size: str | Architecture, classes: int = 5) -> STUNet:
    network = STUNet(size, num_classes=classes).double().eval()
    network.load_state_dict(reference_weights(network))
    return network


def outputs_written_plainly(state: dict[str, Tensor], architecture: Architecture, x: Tensor) -> list[Tensor]:
    """Return outputs of the published network, written from its description with functions alone; finest first."""

    def conv(name: str, x: Tensor, stride: Any = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        return functional.conv3d(x, weight, state[f"{name}.bias"], stride=stride, padding=weight.shape[-1] // 2)

    def norm(name: str, x: Tensor) -> Tensor:
        return functional.instance_norm(x, weight=state[f"{name}.weight"], bias=state[f"{name}.bias"])

    def blocks(name: str, depth: int, x: Tensor, stride: Any = 1) -> Tensor:
        for block in range(depth):
            at, step = f"{name}.{block}", stride if block == 0 else 1
            y = functional.leaky_relu(norm(f"{at}.norm1", conv(f"{at}.conv1", x, step)), 0.01)
            y = norm(f"{at}.norm2", conv(f"{at}.conv2", y))
            x = functional.leaky_relu(y + (conv(f"{at}.conv3", x, step) if block == 0 else x), 0.01)
        return x

    skips, outputs = [], []
    for stage, depth in enumerate(architecture.depth):
        x = blocks(f"conv_blocks_context.{stage}", depth, x, architecture.strides[stage - 1] if stage else 1)
        skips.append(x)
    for up in range(len(architecture.strides)):
        scale = [float(step) for step in architecture.strides[-1 - up]]
        x = conv(f"upsample_layers.{up}.conv", functional.interpolate(x, scale_factor=scale, mode="nearest"))
        x = blocks(f"conv_blocks_localization.{up}", architecture.depth[-2 - up], torch.cat((x, skips[-2 - up]), 1))
        outputs.append(conv(f"seg_outputs.{up}", x))
    return outputs[::-1]


@pytest.mark.parametrize(("size", "reference"), [("S", "S"), ("tiny-deep", "tiny-depth2")])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d], ids=["NCDHW", "NDHWC"])
def test_outputs_are_those_of_the_published_network(
    notes: Path, size: str, reference: str, layout: torch.memory_format
) -> None:
    published = json.loads((notes / "stunet_reference.json").read_text())[reference]
    with torch.no_grad():
        outputs = reference_network(size)(reference_volume().to(memory_format=layout), deep_supervision=True)
    assert len(outputs) == 5
    for output, expected in zip(outputs, published["outputs"], strict=True):
        assert list(output.shape) == expected["shape"]
        assert output.mean().item() == pytest.approx(expected["mean"], abs=1e-9)
        assert output.std(correction=0).item() == pytest.approx(expected["std"], abs=1e-9)
        assert [output[tuple(at)].item() for at, _ in expected["at"]] == pytest.approx(
            [value for _, value in expected["at"]], abs=1e-9
        )


@pytest.mark.parametrize(
    "architecture",
    [
        ARCHITECTURES["tiny"],
        ARCHITECTURES["tiny-deep"],
        Architecture((1, 2, 3), (3, 5, 7), ((1, 2, 2), (2, 2, 1))),
    ],
)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last_3d], ids=["NCDHW", "NDHWC"])
def test_outputs_are_those_of_the_network_written_plainly(
    architecture: Architecture, layout: torch.memory_format
) -> None:
    network = reference_network(architecture)
    x = torch.cat((reference_volume(), reference_volume().flip(2) * 2 - 1)).to(memory_format=layout)
    with torch.no_grad():
        outputs = network(x, deep_supervision=True)
        expected = outputs_written_plainly(network.state_dict(), architecture, x)
        assert torch.equal(network(x), outputs[0])
    torch.testing.assert_close(network(x), outputs[0], atol=1e-10, rtol=1e-10)  # with gradients: see `_convolve`
    for output, plain in zip(outputs, expected, strict=True):
        torch.testing.assert_close(output.contiguous(), plain.contiguous(), atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("size", ["S", "B"])
def test_parameters_have_the_published_names_and_shapes(notes: Path, size: str) -> None:
    with torch.device("meta"):
        state = STUNet(size, num_classes=105).state_dict()
    published = json.loads((notes / f"stunet_keys_{size}.json").read_text())["state_dict"]
    assert {name: list(tensor.shape) for name, tensor in state.items()} == published


@pytest.mark.parametrize("size", COUNTS)
def test_parameter_counts(size: str) -> None:
    with torch.device("meta"):
        network = STUNet(size, num_classes=105)
    counted = [sum(p.numel() for p in part.parameters()) for part in (network, network.encoder, network.decoder)]
    assert tuple(counted) == COUNTS[size]


def test_encode_and_decode_give_the_pyramid_and_the_finest_features() -> None:
    network = STUNet("tiny")
    pyramid = network.encode(torch.randn(2, 1, 16, 32, 64))
    shapes = [(4, 16, 32, 64), (8, 8, 16, 32), (16, 4, 8, 16), (32, 2, 4, 8), (64, 1, 2, 4), (64, 1, 2, 2)]
    assert [tuple(level.shape) for level in pyramid] == [(2, *shape) for shape in shapes]
    levels = network.decode(pyramid, deep_supervision=True)
    assert [tuple(level.shape) for level in levels] == [(2, *shape) for shape in shapes[:5]]
    assert torch.equal(network.decode(pyramid), levels[0])
    assert network.feature_channels == (4, 8, 16, 32, 64)
    with pytest.raises(ValueError, match="6 tensors, not 5"):
        network.decode(pyramid[1:])


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 32, 32, 32), r"takes 1 input channel\(s\), not 3"),
        ((1, 32, 32, 32), r"\(B, C, D, H, W\), not \(1, 32, 32, 32\)"),
        ((1, 1, 30, 32, 32), "multiples of 16×16×32, not 30×32×32; 32×32×32 is the next"),
        ((1, 1, 32, 40, 48), "multiples of 16×16×32, not 32×40×48; 32×48×64 is the next"),
        ((1, 1, 3, 3, 3), "multiples of 16×16×32, not 3×3×3; 32×16×32 is the next"),
        ((1, 1, 0, 16, 32), "multiples of 16×16×32, not 0×16×32"),
        ((4, 1, 16, 16, 32), "one voxel at the bottleneck.*32×16×32 is the next"),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_a_volume_that_does_not_fit_is_refused_with_a_size_that_does(
    shape: tuple[int, ...], message: str, training: bool
) -> None:
    network = STUNet("tiny", num_classes=2).train(training)
    with pytest.raises(ValueError, match=message):
        network(torch.zeros(shape))


def test_the_sizes_that_are_named_do_fit() -> None:
    architecture = ARCHITECTURES["tiny"]
    for size in [(3, 3, 3), (16, 16, 32), (17, 1, 33), (160, 160, 160), (1, 200, 31)]:
        patch = architecture.next_patch(size)
        architecture.check_patch(patch)
        assert all(a <= b for a, b in zip(size, patch, strict=True))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: STUNet("XL"), "comes in tiny, tiny-deep, S, B, L, H, not 'XL'"),
        (lambda: STUNet("tiny", in_channels=0), "at least one input channel"),
        (lambda: STUNet("tiny", num_classes=0), "at least one input channel and one class"),
        (lambda: STUNet("tiny", num_classes=3, labels=["a", "b"]), "2 labels for 3 classes"),
        (lambda: STUNet("tiny")(torch.zeros(1, 1, 32, 32, 32)), "no heads"),
        (lambda: STUNet("tiny").select_labels(["liver"]), "no names"),
        (lambda: Architecture((1, 1), (4, 4)), "a stride between two stages"),
        (lambda: Architecture((1, 1), (4, 0), ((2, 2, 2),)), "at least 1"),
    ],
)
def test_what_cannot_be_built_is_refused(build: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build()


def test_more_input_channels() -> None:
    network = STUNet("tiny", in_channels=2, num_classes=3)
    assert network(torch.randn(1, 2, 32, 32, 32)).shape == (1, 3, 32, 32, 32)


def test_outputs_are_picked_by_name() -> None:
    network = reference_network("tiny", classes=105)
    network.labels = PUBLISHED_LABELS
    names = ["spleen", "background", "kidney_left"]
    with torch.no_grad():
        all_outputs = network(reference_volume(), deep_supervision=True)
        chosen = network.select_labels(names)(reference_volume(), deep_supervision=True)
    for before, after in zip(all_outputs, chosen, strict=True):
        assert torch.allclose(after, before[:, [PUBLISHED_LABELS.index(name) for name in names]], atol=1e-12)
    assert (network.num_classes, network.labels) == (3, tuple(names))
    assert all(parameter.requires_grad for parameter in network.parameters())
    with pytest.raises(ValueError, match=r"no output for 'spleeen' \(near: spleen\)"):
        network.select_labels(["spleeen"])


def test_published_labels_are_the_alphabetical_ones(notes: Path) -> None:
    published = json.loads((notes / "classes_stunet_v1_alphabetical.json").read_text())["labels"]
    assert [published[str(index)] for index in range(105)] == list(PUBLISHED_LABELS)
    assert sorted(PUBLISHED_LABELS[1:]) == list(PUBLISHED_LABELS[1:])


@pytest.mark.parametrize("size", ["tiny", "tiny-deep"])
def test_checkpointing_changes_memory_and_no_gradient(size: str) -> None:
    plain, saving = (STUNet(size, num_classes=2, checkpointing=flag).double() for flag in (False, True))
    saving.load_state_dict(plain.state_dict())
    saved_sizes = []
    for network in (plain, saving):
        saved_size = 0

        def pack(tensor: Tensor) -> Tensor:
            nonlocal saved_size
            saved_size += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            loss = network(reference_volume()).square().mean()
        saved_sizes.append(saved_size)
        loss.backward()
    assert saved_sizes[1] < 0.7 * saved_sizes[0]
    for (name, expected), actual in zip(plain.named_parameters(), saving.parameters(), strict=True):
        if not name.startswith("seg_outputs.") or name.startswith("seg_outputs.4"):
            assert expected.grad is not None and actual.grad is not None
            torch.testing.assert_close(actual.grad, expected.grad, msg=name)
