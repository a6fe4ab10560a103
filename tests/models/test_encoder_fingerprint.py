"""The fingerprint of a text encoder: what changes it, and what does not."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import models.text
from models.encoder_fingerprint import fingerprint
from models.prompt_handling import PromptHandling
from models.text import TextEncoder
from tests.models.encoders import tiny_encoder, with_config

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


@pytest.fixture
def encoder(directory: Path) -> TextEncoder:
    return TextEncoder.from_pretrained(directory)


def test_the_same_in_another_place_mode_and_use(encoder: TextEncoder, directory: Path, tmp_path: Path) -> None:
    first = encoder.fingerprint()
    assert len(first) == 64 and set(first) <= set("0123456789abcdef")
    encoder.encode(["liver", "x" * 100])
    assert encoder.train().fingerprint() == first
    copy = TextEncoder.from_pretrained(shutil.copytree(directory, tmp_path / "copy"))
    assert copy.fingerprint() == first
    copy.save(tmp_path / "saved")
    assert TextEncoder.from_pretrained(tmp_path / "saved").fingerprint() == first


def test_laid_out_otherwise_in_memory_it_is_the_same(encoder: TextEncoder, directory: Path) -> None:
    first = encoder.fingerprint()
    for weight in encoder.parameters():
        if weight.dim() == 2:
            weight.data = weight.data.t().contiguous().t()
    assert any(not weight.is_contiguous() for weight in encoder.parameters())
    assert encoder.fingerprint() == first


def test_a_real_encoder_has_the_same_everywhere(minilm: Path) -> None:
    """Written down with transformers 4.48 and 5.24: a bank that one of them filled serves the other."""
    recorded = "334c8907842aeb67c14c260698c2d58ecf9ea824f76517411fae867b346d975e"
    assert TextEncoder.from_pretrained(minilm).fingerprint() == recorded


def optimizer_step(make: Callable[..., torch.optim.Optimizer], **options: Any) -> Callable[[TextEncoder], None]:
    def step(encoder: TextEncoder) -> None:
        optimizer = make(encoder.parameters(), lr=1e-3, **options)
        torch.autograd.backward(encoder.embed(["liver", "spleen"])[:, 0].sum())
        optimizer.step()

    return step


def one_weight(encoder: TextEncoder) -> None:
    with torch.no_grad():
        next(encoder.parameters())[3, 5] += 1e-6


def other_weights(encoder: TextEncoder, **options: Any) -> None:
    state = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    state["model.encoder.layer.1.output.dense.bias"] += 1
    encoder.load_state_dict(state, **options)


def average(encoder: TextEncoder) -> None:
    for weight in encoder.parameters():
        weight.data.mul_(0.999)


def one_replaced(encoder: TextEncoder) -> None:
    model: Any = encoder.model
    model.embeddings.LayerNorm.weight = nn.Parameter(torch.full((16,), 2.0))


CHANGES: dict[str, Callable[[TextEncoder], object]] = {
    "a step of SGD": optimizer_step(torch.optim.SGD),
    "a step of AdamW": optimizer_step(torch.optim.AdamW),
    "a step of AdamW, each": optimizer_step(torch.optim.AdamW, foreach=False),
    "a step of AdamW, for all": optimizer_step(torch.optim.AdamW, foreach=True),
    "a step of AdamW, fused": optimizer_step(torch.optim.AdamW, fused=True),
    "one weight": one_weight,
    "loaded weights": other_weights,
    "assigned weights": lambda encoder: other_weights(encoder, assign=True),
    "a moving average through .data": average,
    "another tensor": one_replaced,
    "bfloat16": lambda encoder: encoder.bfloat16(),
    "double": lambda encoder: encoder.double(),
    "a token more": lambda encoder: encoder.tokenizer.add_tokens(["hepar"]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_makes_another(encoder: TextEncoder, change: Callable[[TextEncoder], object]) -> None:
    first = encoder.fingerprint()
    change(encoder)
    changed = encoder.fingerprint()
    assert changed != first
    assert encoder.fingerprint() == changed


def test_weights_changed_back_are_the_same(encoder: TextEncoder) -> None:
    first = encoder.fingerprint()
    state = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
    optimizer_step(torch.optim.SGD)(encoder)
    assert encoder.fingerprint() != first
    encoder.load_state_dict(state)
    assert encoder.fingerprint() == first


def test_weights_made_for_inference_alone(directory: Path, encoder: TextEncoder) -> None:
    loaded = TextEncoder.from_pretrained(directory)
    with torch.inference_mode():
        loaded.load_state_dict({name: tensor.clone() for name, tensor in loaded.state_dict().items()}, assign=True)
        assert next(loaded.parameters()).is_inference()
        assert loaded.fingerprint() == encoder.fingerprint()


def test_what_is_done_to_a_text_counts(directory: Path, encoder: TextEncoder) -> None:
    handlings = [
        PromptHandling(),
        PromptHandling("the {}"),
        PromptHandling(lower_case=True),
        PromptHandling(max_length=20),
        PromptHandling("the {}", lower_case=True),
    ]
    fingerprints = [TextEncoder.from_pretrained(directory, handling).fingerprint() for handling in handlings]
    assert len(set(fingerprints)) == len(handlings)
    # As long as the encoder takes is no change.
    assert TextEncoder.from_pretrained(directory, PromptHandling(max_length=48)).fingerprint() == fingerprints[0]


@pytest.mark.parametrize(
    ("name", "value"), [("num_attention_heads", 4), ("layer_norm_eps", 1e-3), ("hidden_act", "relu")]
)
def test_a_setting_of_the_network_counts(
    encoder: TextEncoder, directory: Path, tmp_path: Path, name: str, value: object
) -> None:
    changed = TextEncoder.from_pretrained(with_config(directory, tmp_path / "other", **{name: value}))
    assert not torch.equal(changed.encode(["liver"]), encoder.encode(["liver"]))
    assert changed.fingerprint() != encoder.fingerprint()


def test_a_setting_that_decides_nothing_does_not_count(encoder: TextEncoder, directory: Path, tmp_path: Path) -> None:
    changed = with_config(directory, tmp_path / "other", hidden_dropout_prob=0.5, use_cache=False, id2label={0: "a"})
    assert TextEncoder.from_pretrained(changed).fingerprint() == encoder.fingerprint()


@pytest.mark.parametrize("change", [{"lower_case": True}, {"seed": 1}])
def test_tokenizer_and_weights_count(encoder: TextEncoder, tmp_path: Path, change: dict[str, Any]) -> None:
    changed = TextEncoder.from_pretrained(tiny_encoder(tmp_path / "other", **change))
    assert changed.fingerprint() != encoder.fingerprint()


def test_order_of_words_and_side_of_cutting_count(encoder: TextEncoder) -> None:
    first = encoder.fingerprint()
    tokenizer: Any = encoder.tokenizer
    tokenizer.truncation_side = "left"
    fresh = TextEncoder(encoder.model, tokenizer, PromptHandling(), "tiny")
    assert fresh.fingerprint() != first


def test_weights_are_read_once(encoder: TextEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(*arguments: Any) -> str:
        read.append(fingerprint(*arguments))
        return read[-1]

    monkeypatch.setattr(models.text, "fingerprint", counted)
    for _ in range(3):
        encoder.fingerprint()
        encoder.encode(["liver"])
        encoder.train(not encoder.training)
        torch.autograd.backward(encoder.embed(["liver"])[:, 0].sum())
    assert len(read) == 1


def test_of_two_equal_weights_exchanged(encoder: TextEncoder) -> None:
    """The names are part of it: the same numbers elsewhere are another encoder."""
    first = encoder.fingerprint()
    model: Any = encoder.model
    layers: list[Tensor] = [model.encoder.layer[number].output.dense.weight for number in (0, 1)]
    with torch.no_grad():
        first_weights = layers[0].clone()
        layers[0].copy_(layers[1])
        layers[1].copy_(first_weights)
    assert encoder.fingerprint() != first
