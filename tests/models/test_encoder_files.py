"""Files of text encoders: what is refused and why, where ovct differs from them, and that they come back as saved."""

import json
import os
import re
import shutil
import socket
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file
from transformers.utils import logging as transformers_logging

from models.prompt_handling import PromptHandling, TextEncoderError
from models.text import DEFAULT_ENCODER, TextEncoder
from tests.models.encoders import LONG, SENTENCES, linked_copy, tiny_encoder, with_config

pytestmark = pytest.mark.usefixtures("one_thread")
TEXTS = ["", "liver", "Left kidney", LONG, "no focal lesion, 12 mm"]


def assert_same(vectors: torch.Tensor, expected: torch.Tensor) -> None:
    """Compare to the last digit but one: where weights lie in memory may decide which kernel multiplies them."""
    torch.testing.assert_close(vectors, expected, rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


def refusal(directory: Path | str) -> str:
    with pytest.raises(TextEncoderError) as caught:
        TextEncoder.from_pretrained(directory)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 600
    return message


@pytest.mark.parametrize("directory", [Path("nowhere"), Path("a/b"), "./nowhere", "/no/where", "a/b/c", "../a", "a b"])
def test_no_directory_is_no_name(directory: Path | str) -> None:
    message = refusal(directory)
    assert "is no directory: give the folder that holds config.json" in message


@pytest.mark.parametrize(
    "name", ["../m.safetensors", "/etc/m.safetensors", "a/../../m", "..", "a\\m", "C:m", "below/m", "", 3, None, ["a"]]
)
@pytest.mark.parametrize("index", ["model.safetensors.index.json", "pytorch_model.bin.index.json", "config.json"])
def test_weights_outside_the_folder_are_not_read(index: str, name: object, tiny: Path, tmp_path: Path) -> None:
    copied = linked_copy(tiny, tmp_path / "in", {"model.safetensors": None})
    shutil.copy(tiny / "model.safetensors", tmp_path / "m.safetensors")
    content: dict[str, Any] = {"metadata": {}, "weight_map": {"embeddings": name}}
    if index == "config.json":
        content = json.loads((tiny / "config.json").read_text()) | {"transformers_weights": name}
        (copied / index).unlink()
    (copied / index).write_text(json.dumps(content))
    if index == "config.json" and name is None:  # none is named
        assert "model.safetensors" in refusal(copied)
        return
    assert f"{index} in {copied} " in refusal(copied)


def test_weights_in_parts_of_the_folder_are_read(tiny: Path, tmp_path: Path) -> None:
    copied = linked_copy(tiny, tmp_path / "in", {"model.safetensors": None})
    shutil.copy(tiny / "model.safetensors", copied / "model-00001-of-00001.safetensors")
    weights = load_file(tiny / "model.safetensors")
    index = {"metadata": {}, "weight_map": dict.fromkeys(weights, "model-00001-of-00001.safetensors")}
    (copied / "model.safetensors.index.json").write_text(json.dumps(index))
    expected = TextEncoder.from_pretrained(tiny).embed(TEXTS)
    assert_same(TextEncoder.from_pretrained(copied).embed(TEXTS), expected)


def test_no_bar_is_drawn_and_the_setting_stays(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    TextEncoder.from_pretrained(tiny)
    assert "Loading" not in capsys.readouterr().err and transformers_logging.is_progress_bar_enabled()


def test_a_file_and_an_empty_folder(tiny: Path, tmp_path: Path) -> None:
    assert "is no directory" in refusal(tiny / "config.json")
    assert "holds no encoder (no config.json)" in refusal(tmp_path)
    assert "holds no encoder (no config.json)" in refusal(linked_copy(tiny, tmp_path / "a", {"config.json": None}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"config.json": "{nope"}, "is not JSON"),
        ({"config.json": '{"model_type": "zork"}'}, "zork"),
        ({"config.json": "{}"}, "model_type"),
        ({"model.safetensors": None}, "model.safetensors"),
        ({"model.safetensors": b"junk"}, "SafetensorError"),
        ({"tokenizer.json": "{}"}, "cannot be read"),
        ({"sentence_bert_config.json": "{"}, "sentence_bert_config.json is not JSON"),
        ({"sentence_bert_config.json": '{"max_seq_length": "long"}'}, "max_seq_length is 'long'"),
        ({"sentence_bert_config.json": '{"max_seq_length": 0}'}, "max_seq_length is 0"),
        ({"1_Pooling/config.json": "["}, "is not JSON"),
    ],
)
def test_damaged_files(tiny: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    directory = linked_copy(tiny, tmp_path / "damaged", changes)
    refused = refusal(directory)
    assert message in refused and str(directory) in refused


def test_weights_that_are_cut_off(tiny: Path, tmp_path: Path) -> None:
    weights = (tiny / "model.safetensors").read_bytes()
    refusal(linked_copy(tiny, tmp_path / "cut", {"model.safetensors": weights[: len(weights) // 2]}))


def test_weights_of_another_network(tiny: Path, tmp_path: Path) -> None:
    """Transformers would draw the missing ones at random, and only log it."""
    deeper = refusal(with_config(tiny, tmp_path / "deeper", num_hidden_layers=3))
    assert "lack 16 that its config.json asks for (first: encoder.layer.2.attention" in deeper
    refusal(with_config(tiny, tmp_path / "wider", hidden_size=32))


def test_a_pooler_that_the_weights_lack_does_not_matter(tiny: Path, tmp_path: Path) -> None:
    from safetensors.torch import save

    weights = load_file(tiny / "model.safetensors")
    bare = {name: tensor for name, tensor in weights.items() if "pooler" not in name}
    assert len(bare) == len(weights) - 2
    content = save(bare, {"format": "pt"})
    encoder = TextEncoder.from_pretrained(linked_copy(tiny, tmp_path / "bare", {"model.safetensors": content}))
    assert_same(encoder.encode(TEXTS), TextEncoder.from_pretrained(tiny).encode(TEXTS))
    assert encoder.fingerprint() == TextEncoder.from_pretrained(tiny).fingerprint()


def test_an_encoder_without_its_tokenizer(tiny: Path, minilm: Path, tmp_path: Path) -> None:
    """Transformers 5 would make one up, to which every word is unknown."""
    without = dict.fromkeys(("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"))
    refusal(linked_copy(tiny, tmp_path / "tiny", without))
    refusal(linked_copy(minilm, tmp_path / "minilm", without))


class Mischief:
    """Unpickled, it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def test_a_torch_file_is_read_without_unpickling(tiny: Path, tmp_path: Path) -> None:
    weights = load_file(tiny / "model.safetensors")
    safe = linked_copy(tiny, tmp_path / "safe", {"model.safetensors": None})
    torch.save(weights, safe / "pytorch_model.bin")
    assert_same(TextEncoder.from_pretrained(safe).encode(TEXTS), TextEncoder.from_pretrained(tiny).encode(TEXTS))
    unsafe = linked_copy(tiny, tmp_path / "unsafe", {"model.safetensors": None})
    torch.save(weights | {"more": Mischief(tmp_path / "made")}, unsafe / "pytorch_model.bin")
    assert "cannot be read" in refusal(unsafe)
    assert not (tmp_path / "made").exists()


def test_code_of_an_encoder_is_not_run(tiny: Path, tmp_path: Path) -> None:
    auto_map = {"AutoConfig": "own.Config", "AutoModel": "own.Model"}
    directory = with_config(tiny, tmp_path / "own", model_type="own", auto_map=auto_map)
    (directory / "own.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'made')!r})\n")
    refusal(directory)
    assert not (tmp_path / "made").exists()


def test_half_precision_is_read_as_float32(tiny: Path, tmp_path: Path) -> None:
    TextEncoder.from_pretrained(tiny).bfloat16().save(tmp_path / "half")
    assert load_file(tmp_path / "half/model.safetensors")["embeddings.LayerNorm.weight"].dtype == torch.bfloat16
    encoder = TextEncoder.from_pretrained(tmp_path / "half")
    assert {weight.dtype for weight in encoder.parameters()} == {torch.float32}


# Where ovct embeds otherwise than an encoder's files ask for.


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("modules.json", [{"type": "sentence_transformers.models.Dense"}], "Dense, which ovct leaves out"),
        ("sentence_bert_config.json", {"do_lower_case": True}, "asks for lower case"),
    ],
)
def test_a_difference_is_said(tiny: Path, tmp_path: Path, file: str, content: object, message: str) -> None:
    directory = linked_copy(tiny, tmp_path / "other", {file: json.dumps(content)})
    with pytest.warns(UserWarning, match=message) as caught:
        encoder = TextEncoder.from_pretrained(directory)
    assert [Path(warning.filename) for warning in caught] == [Path(__file__)]
    assert_same(encoder.encode(TEXTS), TextEncoder.from_pretrained(tiny).encode(TEXTS))


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": True, "include_prompt": True}),
        ("1_Pooling/config.json", {"pooling_mode": "mean"}),
        ("1_Pooling/config.json", {"word_embedding_dimension": 16}),
        ("1_Pooling/config.json", []),
        ("modules.json", [{"type": "sentence_transformers.sentence_transformer.modules.normalize.Normalize"}]),
    ],
)
def test_where_there_is_none_nothing_is_said(tiny: Path, tmp_path: Path, file: str, content: object) -> None:
    TextEncoder.from_pretrained(linked_copy(tiny, tmp_path / "same", {file: json.dumps(content)}))


@pytest.mark.parametrize(
    ("files", "pooling"),
    [
        ({"1_Pooling/config.json": {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}}, "cls"),
        ({"1_Pooling/config.json": {"pooling_mode": "lasttoken", "include_prompt": True}}, "lasttoken"),
        ({"1_Pooling/config.json": {"pooling_mode_max_tokens": True}}, "max"),
        ({}, "mean"),
        (
            {
                "modules.json": [
                    {"type": "sentence_transformers.models.Transformer", "path": ""},
                    {"type": "sentence_transformers.models.Pooling", "path": "1_Other"},
                ],
                "1_Pooling/config.json": {"pooling_mode_cls_token": True},
                "1_Other/config.json": {"pooling_mode_lasttoken": True, "pooling_mode_mean_tokens": False},
            },
            "lasttoken",
        ),
    ],
)
def test_tokens_are_pooled_as_the_files_say_and_as_sentence_transformers_does(
    tiny: Path, tmp_path: Path, files: dict[str, Any], pooling: str
) -> None:
    from sentence_transformers import SentenceTransformer

    copied = linked_copy(tiny, tmp_path / "pooled", {name: json.dumps(content) for name, content in files.items()})
    encoder = TextEncoder.from_pretrained(copied)
    assert encoder.pooling == pooling
    by_mean = TextEncoder.from_pretrained(tiny)
    assert (encoder.fingerprint() == by_mean.fingerprint()) == (pooling == "mean")
    encoder.save(tmp_path / "saved")
    again = TextEncoder.from_pretrained(tmp_path / "saved")
    assert again.pooling == pooling and again.fingerprint() == encoder.fingerprint()
    assert_same(again.encode(TEXTS), encoder.encode(TEXTS))
    theirs = SentenceTransformer(str(tmp_path / "saved"), device="cpu").encode(TEXTS, convert_to_tensor=True)
    torch.testing.assert_close(encoder.encode(TEXTS), theirs, rtol=0, atol=2e-6)
    if pooling != "mean":
        assert (encoder.encode(TEXTS) - by_mean.encode(TEXTS)).abs().max() > 0.01
    vectors = encoder.embed(TEXTS)
    vectors.sum().backward()  # type: ignore[no-untyped-call]
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in encoder.model.parameters())
    nothing = encoder(torch.zeros(1, 3, dtype=torch.long), torch.zeros(1, 3, dtype=torch.long))
    assert not nothing.any()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"1_Pooling/config.json": {"pooling_mode_max_tokens": True, "pooling_mode_mean_tokens": True}},
            "1_Pooling/config.json in .* asks for max [+] mean pooling: ovct has mean, cls, max, lasttoken, one at",
        ),
        ({"1_Pooling/config.json": {"pooling_mode": ["mean", "cls"]}}, "mean [+] cls pooling"),
        ({"1_Pooling/config.json": {"pooling_mode_weightedmean_tokens": True}}, "weightedmean pooling"),
        (
            {"modules.json": [{"type": "sentence_transformers.models.Pooling", "path": "../elsewhere"}]},
            "modules.json in .* has pooling in '../elsewhere', which is outside of it",
        ),
    ],
)
def test_a_pooling_that_is_not_there_is_refused(
    tiny: Path, tmp_path: Path, files: dict[str, Any], message: str
) -> None:
    copied = linked_copy(tiny, tmp_path / "other", {name: json.dumps(content) for name, content in files.items()})
    assert re.search(message, refusal(copied))


def test_lower_case_that_is_given_is_not_missed(tiny: Path, tmp_path: Path) -> None:
    asks = linked_copy(tiny, tmp_path / "asks", {"sentence_bert_config.json": '{"do_lower_case": true}'})
    TextEncoder.from_pretrained(asks, PromptHandling(lower_case=True))


# Writing.


@pytest.mark.parametrize("kind", ["bert", "mpnet", "roberta"])
def test_saved_and_read_again(tmp_path: Path, kind: Any) -> None:
    encoder = TextEncoder.from_pretrained(tiny_encoder(tmp_path / "first", kind), PromptHandling("a {}", max_length=20))
    encoder.save(tmp_path / "deep/er")
    again = TextEncoder.from_pretrained(tmp_path / "deep/er", encoder.handling)
    assert again.max_length == 20
    assert_same(again.encode(SENTENCES), encoder.encode(SENTENCES))
    assert again.fingerprint() == encoder.fingerprint()


def test_what_is_saved_does_not_tell_what_was_embedded_before(tiny: Path, tmp_path: Path) -> None:
    def files(name: str, encoder: TextEncoder) -> dict[str, bytes]:
        encoder.save(tmp_path / name)
        return {path.name: path.read_bytes() for path in (tmp_path / name).rglob("*") if path.is_file()}

    encoder = TextEncoder.from_pretrained(tiny)
    first = files("first", encoder)
    encoder.encode(["liver", "the spleen is large"])
    encoder.tokenize(["liver"])
    assert files("later", encoder) == first
    encoder.fingerprint()
    assert files("last", encoder) == first


def test_weights_that_lie_across_each_other_are_saved(tiny: Path, tmp_path: Path) -> None:
    encoder = TextEncoder.from_pretrained(tiny)
    for weight in encoder.parameters():
        if weight.dim() == 2:
            weight.data = weight.data.t().contiguous().t()
    encoder.save(tmp_path / "saved")
    again = TextEncoder.from_pretrained(tmp_path / "saved")
    assert again.fingerprint() == encoder.fingerprint()
    assert_same(again.encode(TEXTS), encoder.encode(TEXTS))


@pytest.mark.parametrize("lower_case", [False, True])
def test_sentence_transformers_reads_what_was_saved(
    tiny: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, lower_case: bool
) -> None:
    from sentence_transformers import SentenceTransformer

    encoder = TextEncoder.from_pretrained(tiny, PromptHandling(lower_case=lower_case, max_length=20))
    encoder.save(tmp_path / "saved")
    theirs = SentenceTransformer(str(tmp_path / "saved"), device="cpu")
    assert theirs.max_seq_length == 20
    # They look for special tokens before they change case, and ovct after it.
    texts = [text for text in SENTENCES if "[SEP]" not in text]
    torch.testing.assert_close(torch.from_numpy(theirs.encode(texts)), encoder.encode(texts), rtol=0, atol=1e-5)
    assert "newly initialized" not in caplog.text


def test_a_real_one_saved(minilm: Path, tmp_path: Path) -> None:
    encoder = TextEncoder.from_pretrained(minilm)
    encoder.save(tmp_path / "saved")
    again = TextEncoder.from_pretrained(tmp_path / "saved")
    assert again.max_length == 256 and again.fingerprint() == encoder.fingerprint()
    assert_same(again.encode(TEXTS[:3]), encoder.encode(TEXTS[:3]))


def test_saved_over_the_files_it_was_read_from(tiny: Path, tmp_path: Path) -> None:
    directory = shutil.copytree(tiny, tmp_path / "both")
    # The weights of the first may still be read from its file, which therefore must stay as it was.
    first, second = TextEncoder.from_pretrained(directory), TextEncoder.from_pretrained(directory)
    vectors = first.encode(TEXTS)
    with torch.no_grad():
        next(second.parameters()).mul_(-2)
    second.save(directory)
    assert_same(first.encode(TEXTS), vectors)
    assert_same(TextEncoder.from_pretrained(directory).encode(TEXTS), second.encode(TEXTS))
    assert not torch.equal(second.encode(TEXTS), vectors)
    assert [path.name for path in directory.iterdir() if path.name.startswith("tmp")] == []


def test_a_folder_that_cannot_be_made(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in ("file", "file/under"):
        with pytest.raises(TextEncoderError, match=r"cannot be written to .* name another folder"):
            TextEncoder.from_pretrained(tiny).save(tmp_path / place)


# Hubs.


def test_a_directory_is_read_without_a_look_at_a_hub(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[object] = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **_: requests.append(where))
    monkeypatch.setattr(socket.socket, "connect", lambda _, where: requests.append(where))
    TextEncoder.from_pretrained(tiny).encode(["liver"])
    assert requests == []


@pytest.fixture
def hub(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a hub gave before is in its cache: the tiny encoder, as nobody/tiny. The hub itself cannot be reached."""
    cache = tmp_path / "models--nobody--tiny"
    linked_copy(tiny, cache / "snapshots/0123", {"sentence_bert_config.json": '{"max_seq_length": 30}'})
    (cache / "refs").mkdir()
    (cache / "refs/main").write_text("0123")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    # Transformers 4 copies them when it is imported.
    monkeypatch.setattr("transformers.utils.hub.TRANSFORMERS_CACHE", str(tmp_path), raising=False)
    monkeypatch.setattr("transformers.utils.hub._is_offline_mode", True, raising=False)


@pytest.mark.usefixtures("hub")
def test_by_name_from_what_a_hub_gave_before(tiny: Path) -> None:
    encoder = TextEncoder.from_pretrained("nobody/tiny")
    assert encoder.name == "nobody/tiny" and encoder.max_length == 30
    assert encoder.fingerprint() == TextEncoder.from_pretrained(tiny, PromptHandling(max_length=30)).fingerprint()


@pytest.mark.usefixtures("hub")
def test_a_hub_that_cannot_be_reached() -> None:
    message = refusal(DEFAULT_ENCODER)
    assert "'FremyCompany/BioLORD-2023' is neither a directory here nor an encoder that could be had" in message
    assert "give the directory of one" in message and "licence" in message
