"""The embedding bank: exact vectors and texts, one embedding for each, several processes, and an end at any moment."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import models.embedding_bank
from models.embedding_bank import EmbeddingBank, EmbeddingBankError
from models.prompt_handling import PromptHandling
from models.text import TextEncoder
from tests.models.encoders import LONG, SENTENCES, tiny_encoder

pytestmark = pytest.mark.usefixtures("one_thread")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


class CountingEncoder(TextEncoder):
    """An encoder that records the texts that it has embedded."""

    embedded: list[str]

    def encode(self, texts: Any, batch_size: int = 64) -> Tensor:
        self.embedded = [*getattr(self, "embedded", []), *texts]
        return super().encode(texts, batch_size)


@pytest.fixture
def encoder(directory: Path) -> CountingEncoder:
    read = CountingEncoder.from_pretrained(directory)
    assert isinstance(read, CountingEncoder)
    read.embedded = []
    return read


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "banks" / "prompts.sqlite"


@pytest.fixture
def bank(path: Path) -> Iterator[EmbeddingBank]:
    with EmbeddingBank(path) as opened:
        yield opened


def test_as_the_encoder_has_them(bank: EmbeddingBank, encoder: CountingEncoder) -> None:
    expected = encoder.encode(SENTENCES)
    first = bank.embeddings(encoder, SENTENCES)
    assert torch.equal(first, expected) and first.dtype == torch.float32
    assert len(bank) == len(set(SENTENCES))
    count = len(encoder.embedded)
    assert torch.equal(bank.embeddings(encoder, SENTENCES[::-1], batch_size=3), expected.flip(0))
    assert len(encoder.embedded) == count
    # What is given back may be written to.
    first.zero_()


def test_only_what_is_missing_is_embedded(bank: EmbeddingBank, encoder: CountingEncoder) -> None:
    before = bank.embeddings(encoder, ["liver", "spleen", "liver"])
    assert encoder.embedded == ["liver", "spleen"]
    after = bank.embeddings(encoder, ["spleen", "Liver", "liver", "Liver", ""])
    assert encoder.embedded == ["liver", "spleen", "Liver", ""]
    assert torch.equal(after[[2, 0]], before[:2]) and torch.equal(after[1], after[3])
    assert bank.embeddings(encoder, []).shape == (0, 16)


def test_another_process_finds_them(path: Path, encoder: CountingEncoder, directory: Path) -> None:
    with EmbeddingBank(path) as bank:
        stored = bank.embeddings(encoder, SENTENCES)
    fresh = CountingEncoder.from_pretrained(directory)
    with EmbeddingBank(path) as bank:
        assert torch.equal(bank.embeddings(fresh, SENTENCES), stored)
    assert not hasattr(fresh, "embedded")


def test_each_encoder_has_its_own(
    bank: EmbeddingBank, encoder: CountingEncoder, directory: Path, tmp_path: Path
) -> None:
    others = [
        TextEncoder.from_pretrained(directory, PromptHandling("the {}")),
        TextEncoder.from_pretrained(tiny_encoder(tmp_path / "other", seed=1)),
    ]
    for any_encoder in (encoder, *others):
        assert torch.equal(bank.embeddings(any_encoder, ["liver", LONG]), any_encoder.encode(["liver", LONG]))
    assert len(bank) == 6
    torch.autograd.backward(encoder.embed(["liver"])[:, 0].sum())
    torch.optim.SGD(encoder.parameters(), lr=1.0).step()
    trained = bank.embeddings(encoder, ["liver"])
    assert torch.equal(trained, encoder.encode(["liver"]))
    assert len(bank) == 7


# "Exact": sqlite3 and the file keep what other places trim, fold or cut.
odd = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ["a", "A", "a ", " a", "a\x00", "a\x00b", "é", "e\u0301", "'", '"; DROP TABLE embedding; --', "%", "?"]
)


@settings(max_examples=40)
@given(st.lists(odd, max_size=20))
def test_texts_are_exact(memory: tuple[EmbeddingBank, TextEncoder], texts: list[str]) -> None:
    bank, encoder = memory
    before = len(bank)
    new = [text for text in dict.fromkeys(texts) if text not in SEEN]
    vectors = bank.embeddings(encoder, texts)
    assert len(bank) == before + len(new)
    torch.testing.assert_close(vectors, encoder.encode(texts), rtol=0, atol=1e-6)
    SEEN.update(texts)


SEEN: set[str] = set()


@pytest.fixture(scope="module")
def memory(directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddingBank, TextEncoder]]:
    with EmbeddingBank(tmp_path_factory.mktemp("banks") / "exact.sqlite") as bank:
        yield bank, TextEncoder.from_pretrained(directory)


def test_more_texts_than_one_question_takes(
    bank: EmbeddingBank, encoder: CountingEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.close()
    connect = sqlite3.connect

    def connect_as_of_old(*arguments: Any, **options: Any) -> sqlite3.Connection:
        base: sqlite3.Connection = connect(*arguments, **options)
        base.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
        return base

    monkeypatch.setattr(sqlite3, "connect", connect_as_of_old)
    monkeypatch.setattr(models.embedding_bank, "_TEXTS_PER_COMMIT", 300)
    bank = EmbeddingBank(bank.path)
    texts = [f"lesion {number}" for number in range(1203)]
    first = bank.embeddings(encoder, texts)
    assert len(bank) == 1203 and encoder.embedded == texts
    assert torch.equal(bank.embeddings(encoder, texts[::-1]), first.flip(0))
    torch.testing.assert_close(first, encoder.encode(texts), rtol=0, atol=1e-6)
    bank.close()


@pytest.mark.parametrize(
    ("texts", "error"), [("liver", TypeError), (["liver", 3], TypeError), (["ab\ud800"], ValueError)]
)
def test_what_is_no_text(bank: EmbeddingBank, encoder: CountingEncoder, texts: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="text"):
        bank.embeddings(encoder, texts)
    assert len(bank) == 0


def test_the_first_that_stores_is_the_one_that_counts(path: Path, encoder: CountingEncoder) -> None:
    """Two processes embed a text in other company, and so differ in the last bits: both go on with the same."""
    with EmbeddingBank(path) as first_bank, EmbeddingBank(path) as second_bank:
        stored: list[Tensor] = []

        class SlowEncoder(CountingEncoder):
            def encode(self, texts: Any, batch_size: int = 64) -> Tensor:
                stored.append(first_bank.embeddings(encoder, texts))
                return super().encode(texts, batch_size) + 1e-7

        slow = SlowEncoder(encoder.model, encoder.tokenizer, encoder.handling, "slow")
        assert torch.equal(second_bank.embeddings(slow, ["liver", "spleen"]), stored[0])


# Several at once, and an end at any moment.


def fill(path: Path, directory: Path, order: int) -> Tensor:
    encoder = TextEncoder.from_pretrained(directory)
    texts = [f"lesion {number}" for number in range(100)]
    with EmbeddingBank(path) as bank:
        for start in range(0, 100, 10):
            bank.embeddings(encoder, texts[start : start + 10][::order])
        return bank.embeddings(encoder, texts)


def test_several_fill_one_bank(path: Path, directory: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        filled = list(pool.map(partial(fill, path, directory), [1, -1, 1, -1]))
    assert all(torch.equal(vectors, filled[0]) for vectors in filled)
    with EmbeddingBank(path) as bank:
        assert len(bank) == 100


def test_several_make_one_bank(tmp_path: Path) -> None:
    ready = threading.Barrier(6)

    def make(path: Path) -> int:
        ready.wait()
        with EmbeddingBank(path) as bank:
            return len(bank)

    with ThreadPoolExecutor(6) as pool:
        for number in range(10):
            assert list(pool.map(make, [tmp_path / f"{number}.sqlite"] * 6)) == [0] * 6


def test_texts_are_stored_together_or_not_at_all(bank: EmbeddingBank, encoder: CountingEncoder) -> None:
    with sqlite3.connect(bank.path) as base:
        base.execute(
            "CREATE TRIGGER stop BEFORE INSERT ON embedding WHEN NEW.text = 'spleen' "
            "BEGIN SELECT RAISE(ABORT, 'the lights went out'); END"
        )
    base.close()
    with pytest.raises(EmbeddingBankError, match="the lights went out"):
        bank.embeddings(encoder, ["liver", "spleen", "heart"])
    assert len(bank) == 0
    bank.embeddings(encoder, ["liver"])
    assert len(bank) == 1


FILL_ON = """
import sys
import time
from pathlib import Path
import torch
from models.embedding_bank import EmbeddingBank

class NumberEncoder:
    embedding_dim = 2
    fingerprint = staticmethod(lambda: "numbers")
    encode = staticmethod(lambda texts, batch_size: torch.tensor([[float(text), 1.0] for text in texts]))

bank = EmbeddingBank(Path(sys.argv[1]))
for number in range(10**6):
    bank.embeddings(NumberEncoder, [str(2 * number), str(2 * number + 1)])
    print(number, flush=True)
    time.sleep(0.02)
"""


def test_killed_at_any_moment_the_bank_is_whole(path: Path, encoder: CountingEncoder) -> None:
    """Two processes fill the bank, and one of them is killed."""
    process = subprocess.Popen([sys.executable, "-c", FILL_ON, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with EmbeddingBank(path) as bank:
        for number in range(4):
            process.stdout.readline()
            bank.embeddings(encoder, [f"scar {number}"])
        process.kill()
        done = 2 * (4 + len(process.stdout.readlines()))
        process.stdout.close()
        process.wait()
        assert len(bank) - 4 in (done, done + 2)
    with sqlite3.connect(path) as base:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        query = "SELECT text, vector FROM embedding WHERE fingerprint = 'numbers'"
        vectors = {int(text): np.frombuffer(vector, "<f4").tolist() for text, vector in base.execute(query)}
    base.close()
    assert vectors == {number: [number, 1.0] for number in range(len(vectors))}
