"""What is done to a prompt, how long it may be, and networks and tokenizers that do not go together."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import CLIPConfig, CLIPModel, T5Config, T5Model

from models.prompt_handling import PromptHandling, TextEncoderError
from models.text import TextEncoder
from tests.models.encoders import LONG, linked_copy, tiny_encoder

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def tiny_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


@pytest.fixture
def tiny(tiny_directory: Path) -> TextEncoder:
    return TextEncoder.from_pretrained(tiny_directory)


# How long a text may be.


@pytest.mark.parametrize(("kind", "length"), [("bert", 20), ("mpnet", 18), ("roberta", 18)])
def test_all_positions_of_a_network_are_used_and_no_more(tmp_path: Path, kind: Any, length: int) -> None:
    encoder = TextEncoder.from_pretrained(tiny_encoder(tmp_path / "tiny", kind, positions=20))
    assert encoder.max_length == length
    tokens = encoder.tokenize([LONG, "short"])
    assert tokens["input_ids"].shape == (2, length)
    assert encoder(**tokens).shape == (2, 16)
    one_more = torch.full((1, length + 1), 9)
    with pytest.raises((IndexError, RuntimeError)):
        encoder(one_more, torch.ones_like(one_more))


@pytest.mark.parametrize(
    ("stated", "length"),
    [('{"max_seq_length": 10}', 10), ('{"max_seq_length": 4000}', 48), ('{"max_seq_length": null}', 48), ("{}", 48)],
)
def test_the_files_say_how_long(tiny_directory: Path, tmp_path: Path, stated: str, length: int) -> None:
    directory = linked_copy(tiny_directory, tmp_path / "stated", {"sentence_bert_config.json": stated})
    assert TextEncoder.from_pretrained(directory).max_length == length


def test_handling_may_ask_for_less_and_not_for_more(tiny_directory: Path) -> None:
    encoder = TextEncoder.from_pretrained(tiny_directory, PromptHandling(max_length=5))
    assert encoder.max_length == 5
    assert encoder.tokenize([LONG])["input_ids"].shape == (1, 5)
    assert torch.equal(encoder.encode(["livid"]), encoder.encode(["liver"]))
    with pytest.raises(TextEncoderError, match=r"max_length 49: .*tiny takes 48 tokens at most"):
        TextEncoder.from_pretrained(tiny_directory, PromptHandling(max_length=49))


def test_a_network_without_a_table_of_positions(tiny: TextEncoder) -> None:
    model: Any = tiny.model
    model.embeddings.position_embeddings = nn.Identity()
    model.config.max_position_embeddings = 30
    assert rebuilt(tiny).max_length == 30
    model.config.max_position_embeddings = -1
    with pytest.raises(TextEncoderError, match="does not say how long a text may be"):
        rebuilt(tiny)
    assert rebuilt(tiny, PromptHandling(max_length=9)).max_length == 9


def rebuilt(encoder: TextEncoder, handling: PromptHandling | None = None) -> TextEncoder:
    return TextEncoder(encoder.model, encoder.tokenizer, handling or PromptHandling(), "tiny")


# What is done to a text first.


def test_template_and_lower_case_change_the_text_in_this_order() -> None:
    assert PromptHandling("A CT of the {}.").apply("Left Kidney") == "A CT of the Left Kidney."
    assert PromptHandling("A CT of the {}.", lower_case=True).apply("Left Kidney") == "a ct of the left kidney."
    assert PromptHandling().apply("Left {} Kidney") == "Left {} Kidney"
    assert PromptHandling("{organ} {{{}}}").apply("{x}") == "{organ} {{{x}}}"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"template": "A CT."}, "write {} exactly once"),
        ({"template": "{} or {}"}, "write {} exactly once"),
        ({"template": "{organ}"}, "write {} exactly once"),
        ({"template": ["{}"]}, "write {} exactly once"),
        ({"lower_case": "no"}, "write true or false"),
        ({"max_length": 2}, "3 at least"),
        ({"max_length": 8.5}, "3 at least"),
        ({"max_length": True}, "3 at least"),
    ],
)
def test_handling_that_cannot_be(values: dict[str, Any], message: str) -> None:
    with pytest.raises(TextEncoderError) as caught:
        PromptHandling(**values)
    assert message in str(caught.value)


def test_handling_reaches_the_network(tiny_directory: Path, tiny: TextEncoder) -> None:
    handled = TextEncoder.from_pretrained(tiny_directory, PromptHandling("the {}!", lower_case=True))
    torch.testing.assert_close(handled.encode(["Liver"]), tiny.encode(["the liver!"]), rtol=0, atol=0)
    torch.testing.assert_close(handled.embed(["Liver"]), tiny.embed(["the liver!"]), rtol=0, atol=0)
    # This tokenizer tells capitals from small letters.
    assert (tiny.encode(["Liver"]) - tiny.encode(["liver"])).abs().max() > 1e-2
    assert handled.handling == PromptHandling(**asdict(handled.handling))


def test_texts_that_become_one_prompt_are_embedded_once(tiny_directory: Path) -> None:
    encoder = TextEncoder.from_pretrained(tiny_directory, PromptHandling(lower_case=True))
    vectors = encoder.encode(["LIVER", "spleen", "Liver"], batch_size=1)
    assert torch.equal(vectors[0], vectors[2]) and not torch.equal(vectors[0], vectors[1])


# Networks and tokenizers that do not go together.


def test_what_also_decodes_or_sees_is_refused(tiny: TextEncoder) -> None:
    small = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    models = [
        T5Model(T5Config(vocab_size=200, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2)),
        CLIPModel(CLIPConfig(text_config=small | {"vocab_size": 200}, vision_config=small, projection_dim=8)),
    ]
    for model in models:
        with pytest.raises(TextEncoderError, match="tiny does more than encode text"):
            TextEncoder(model, tiny.tokenizer, PromptHandling(), "tiny")


def test_a_tokenizer_that_cannot_pad(tiny: TextEncoder) -> None:
    tiny.tokenizer.pad_token = None
    with pytest.raises(TextEncoderError, match="no token to pad with"):
        rebuilt(tiny)


def test_a_tokenizer_of_a_larger_network(tiny: TextEncoder) -> None:
    tiny.tokenizer.add_tokens(["hepar"])
    with pytest.raises(TextEncoderError, match="put the files of one together"):
        rebuilt(tiny)
