"""Embeddings of texts: against sentence-transformers and a naive version, order, batches, modes and gradients."""

import inspect
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from transformers import AutoModel

from models.text import DEFAULT_ENCODER, TextEncoder
from tests.models.encoders import LONG, SENTENCES, tiny_encoder

pytestmark = pytest.mark.usefixtures("one_thread")

FEW = ["", "liver", "Liver", "left kidney", "no focal lesion, 12 mm", "liver", "x" * 30, "spleen."]


@pytest.fixture(scope="module")
def tiny_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


@pytest.fixture
def tiny(tiny_directory: Path) -> TextEncoder:
    return TextEncoder.from_pretrained(tiny_directory)


def reference(directory: Path, texts: Sequence[str]) -> Tensor:
    """What sentence-transformers makes of the texts."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(directory), device="cpu")
    return torch.from_numpy(model.encode(list(texts), batch_size=8, normalize_embeddings=True))


@pytest.fixture(scope="module")
def real(request: pytest.FixtureRequest) -> tuple[TextEncoder, Tensor]:
    """A real encoder, and its vectors by sentence-transformers."""
    directory = request.getfixturevalue(request.param)
    return TextEncoder.from_pretrained(directory), reference(directory, SENTENCES)


@pytest.mark.parametrize(
    ("real", "batch_size"), [("minilm", 1), ("minilm", 7), ("minilm", 64), ("mpnet", 7)], indirect=["real"]
)
def test_as_sentence_transformers_has_it(real: tuple[TextEncoder, Tensor], batch_size: int) -> None:
    encoder, expected = real
    vectors = encoder.encode(SENTENCES, batch_size)
    assert len(SENTENCES) == 50 and vectors.dtype == torch.float32
    assert vectors.shape == (50, encoder.embedding_dim)
    torch.testing.assert_close(vectors, expected, rtol=0, atol=1e-5)


def test_a_text_longer_than_bert_and_mpnet_take(minilm: Path, mpnet: Path) -> None:
    for directory, length in ((minilm, 256), (mpnet, 384)):
        encoder = TextEncoder.from_pretrained(directory)
        assert encoder.max_length == length
        assert encoder.tokenize([LONG])["input_ids"].shape == (1, length)
        torch.testing.assert_close(encoder.encode([LONG]), reference(directory, [LONG]), rtol=0, atol=1e-5)


def test_captions_of_one_meaning_are_near(minilm: Path) -> None:
    encoder = TextEncoder.from_pretrained(minilm)
    kidney, renal, lung = encoder.encode(["a cyst in the left kidney", "left renal cyst", "clear lungs"])
    assert kidney @ renal > 0.8 > 0.5 > kidney @ lung


def test_vectors_are_means_of_real_tokens_of_length_one(tiny: TextEncoder) -> None:
    """Written out: each text alone, without padding or mask, its tokens' mean divided by its length."""
    for text, vector in zip(FEW, tiny.encode(FEW, batch_size=len(FEW)), strict=True):
        ids = torch.tensor([tiny.tokenizer(text)["input_ids"]])
        with torch.no_grad():
            hidden = tiny.model(ids).last_hidden_state[0].double()
        mean = sum(hidden) / len(hidden)
        torch.testing.assert_close(vector.double(), mean / sum(mean**2) ** 0.5, rtol=0, atol=1e-6)


def test_padding_changes_nothing(tiny: TextEncoder) -> None:
    alone = torch.cat([tiny.encode([text]) for text in FEW])
    torch.testing.assert_close(tiny.encode([*FEW, LONG])[:-1], alone, rtol=0, atol=1e-6)
    tokens = tiny.tokenize(FEW)
    wider = {name: nn.functional.pad(values, (0, 9)) for name, values in tokens.items()}
    wider["input_ids"][:, -9:] = 7
    torch.testing.assert_close(tiny(**wider), tiny(**tokens), rtol=0, atol=1e-6)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(FEW), max_size=12), st.integers(1, 5))
def test_order_is_kept(tiny_session: tuple[TextEncoder, dict[str, Tensor]], texts: list[str], batch_size: int) -> None:
    encoder, alone = tiny_session
    vectors = encoder.encode(texts, batch_size)
    assert vectors.shape == (len(texts), 16)
    for text, vector in zip(texts, vectors, strict=True):
        torch.testing.assert_close(vector, alone[text], rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def tiny_session(tiny_directory: Path) -> tuple[TextEncoder, dict[str, Tensor]]:
    encoder = TextEncoder.from_pretrained(tiny_directory)
    alone = {text: encoder.encode([text])[0] for text in FEW}
    assert all((alone[a] - alone[b]).abs().max() > 1e-2 for a, b in itertools.combinations(alone, 2))
    return encoder, alone


@pytest.fixture
def batches(tiny: TextEncoder) -> Iterator[list[tuple[int, int]]]:
    """(N, L) of each batch that the network is given."""
    sizes: list[tuple[int, int]] = []

    def note(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Tensor]) -> None:
        sizes.append(cast(tuple[int, int], tuple(kwargs["input_ids"].shape)))

    handle = tiny.model.register_forward_pre_hook(note, with_kwargs=True)
    yield sizes
    handle.remove()


def test_each_distinct_text_once_and_little_padding(tiny: TextEncoder, batches: list[tuple[int, int]]) -> None:
    # Of one length in characters, but not in tokens.
    texts = ["é" * 20, "a" * 20, "b " * 10, "ü" * 20, "c" * 20, "d " * 10] * 3
    tiny.encode(texts, batch_size=2)
    assert batches == [(2, 22), (2, 12), (2, 3)]


def test_dropout_is_off_and_each_part_keeps_its_mode(tiny: TextEncoder) -> None:
    before = tiny.encode(FEW)
    model: Any = tiny.model
    assert {module.training for module in tiny.modules()} == {False}
    tiny.train()
    model.embeddings.eval()
    torch.testing.assert_close(tiny.encode(FEW), before, rtol=0, atol=0)
    assert [part.training for part in (tiny, model.encoder, model.embeddings)] == [True, True, False]
    with pytest.raises(TypeError):
        tiny.encode([*FEW, cast(str, None)])
    assert tiny.training
    assert (tiny.embed(FEW) - tiny.embed(FEW)).abs().max() > 1e-3
    tiny.eval()
    torch.testing.assert_close(tiny.embed(FEW), before, rtol=0, atol=1e-6)


def test_modes_return_after_a_failure(tiny: TextEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.train()
    monkeypatch.setattr(tiny.model, "forward", lambda **_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        tiny.encode(FEW)
    assert all(module.training for module in tiny.modules())


@pytest.mark.parametrize("kind", ["bert", "mpnet", "roberta"])
def test_every_weight_has_a_gradient(tmp_path: Path, kind: Any) -> None:
    encoder = TextEncoder.from_pretrained(tiny_encoder(tmp_path / kind, kind, dropout=0.0)).train()
    vectors = encoder.embed(FEW)
    assert vectors.requires_grad and not encoder.encode(FEW).requires_grad
    torch.autograd.backward((vectors @ torch.arange(16.0)).sum())
    without = [name for name, weight in encoder.named_parameters() if weight.grad is None]
    assert without == []
    assert not any(torch.isnan(cast(Tensor, weight.grad)).any() for weight in encoder.parameters())


def test_vectors_of_encode_can_be_trained_upon(tiny: TextEncoder) -> None:
    connector = nn.Linear(16, 4)
    connector(tiny.encode(FEW)).sum().backward()
    assert connector.weight.grad is not None


def test_one_batch_for_training_and_none_for_nothing(tiny: TextEncoder, batches: list[tuple[int, int]]) -> None:
    tiny.embed(FEW * 20)
    assert [size for size, _ in batches] == [8 * 20]
    assert tiny.embed([]).shape == tiny.encode([]).shape == (0, 16)
    assert len(batches) == 1


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_a_row_without_tokens_is_zero(tiny_directory: Path, tiny: TextEncoder, implementation: str) -> None:
    tiny.model = AutoModel.from_pretrained(tiny_directory, attn_implementation=implementation)
    tokens = tiny.tokenize(["liver", "spleen"])
    tokens["attention_mask"][1] = 0
    attended: list[Tensor] = []
    tiny.model.register_forward_pre_hook(
        lambda _, args, kwargs: attended.append(kwargs["attention_mask"]), with_kwargs=True
    )
    vectors = tiny(**tokens)
    assert bool(attended[0].any(dim=1).all())
    assert torch.equal(vectors[1], torch.zeros(16))
    torch.testing.assert_close(vectors[0].norm(), torch.tensor(1.0))
    vectors.sum().backward()
    assert not any(torch.isnan(weight.grad).any() for weight in tiny.parameters() if weight.grad is not None)


def test_pooling_is_float32_under_autocast(tiny: TextEncoder) -> None:
    before = tiny.encode(FEW)
    with torch.autocast("cpu", torch.bfloat16):
        low = tiny.embed(FEW)
        torch.testing.assert_close(tiny.encode(FEW), before, rtol=0, atol=0)
    assert low.dtype == torch.float32
    torch.testing.assert_close(low.norm(dim=1), torch.ones(len(FEW)), rtol=0, atol=1e-6)
    assert 1e-4 < (low - before).abs().max() < 0.2
    half = tiny.bfloat16().encode(FEW)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half.norm(dim=1), torch.ones(len(FEW)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", ["encode", "embed", "tokenize"])
@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        (["liver", 3], TypeError, "text 1 is 3, a int"),
        (["liver", "spleen", None], TypeError, "text 2 is None"),
        (["liver", float("nan")], TypeError, "text 1 is nan, a float"),
        ("liver", TypeError, "put it in a list"),
        (["liver", "ab\ud800"], ValueError, "text 1 has half a character at 2"),
    ],
)
def test_what_is_no_text(tiny: TextEncoder, method: str, texts: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        getattr(tiny, method)(texts)


def test_texts_that_come_one_by_one(tiny: TextEncoder) -> None:
    assert torch.equal(tiny.encode(cast(list[str], (text for text in FEW))), tiny.encode(FEW))


def test_a_batch_of_none(tiny: TextEncoder) -> None:
    with pytest.raises(ValueError, match="batch_size 0: write 1 or more"):
        tiny.encode(FEW, batch_size=0)


def test_the_default_is_biolord() -> None:
    assert DEFAULT_ENCODER == "FremyCompany/BioLORD-2023"
    assert inspect.signature(TextEncoder.from_pretrained).parameters["name_or_directory"].default == DEFAULT_ENCODER
