"""Files that an embedding bank cannot use: each is named, with the way out, and left as it is."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import models.embedding_bank
from models.embedding_bank import EmbeddingBank, EmbeddingBankError
from models.text import TextEncoder
from tests.models.encoders import tiny_encoder

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> TextEncoder:
    return TextEncoder.from_pretrained(tiny_encoder(tmp_path_factory.mktemp("encoders") / "tiny"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "banks" / "prompts.sqlite"


def refusal(path: Path) -> str:
    with pytest.raises(EmbeddingBankError) as caught:
        EmbeddingBank(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_folder_that_cannot_be_made_or_opened(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "name a file in another folder" in refusal(tmp_path / "file" / "bank.sqlite")
    assert "name a file in a folder that can be written" in refusal(tmp_path)


def test_a_file_that_is_none_of_sqlite(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no bank at all, but long enough to be taken for one" * 40)
    assert "delete it, and it is filled again, or name another file" in refusal(path)
    assert path.read_bytes().startswith(b"no bank")


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as base:
        base.execute("CREATE TABLE patient (name TEXT)")
    base.close()


def of_the_future(path: Path) -> None:
    EmbeddingBank(path).close()
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA user_version = 7")
    base.close()


@pytest.mark.parametrize(
    ("write", "message"),
    [(foreign, "is no bank of embeddings: name another file"), (of_the_future, r"\(layout 7, not 2\): delete it")],
)
def test_another_base(path: Path, write: Callable[[Path], None], message: str) -> None:
    path.parent.mkdir()
    write(path)
    before = path.read_bytes()
    with pytest.raises(EmbeddingBankError, match=message):
        EmbeddingBank(path)
    assert path.read_bytes() == before


def test_an_empty_file_is_a_bank_to_be(path: Path, encoder: TextEncoder) -> None:
    path.parent.mkdir()
    path.touch()
    with EmbeddingBank(path) as bank:
        assert bank.embeddings(encoder, ["liver"]).shape == (1, 16)


def test_pages_that_are_damaged(path: Path, encoder: TextEncoder) -> None:
    with EmbeddingBank(path) as bank:
        bank.embeddings(encoder, [f"lesion {number}" for number in range(300)])
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with EmbeddingBank(path) as bank, pytest.raises(EmbeddingBankError, match=r"sqlite: .*delete it, and it is filled"):
        bank.embeddings(encoder, ["lesion 7"])


def changed(path: Path, change: str) -> None:
    with sqlite3.connect(path) as base:
        base.execute(f"UPDATE embedding SET {change}")
    base.close()


def test_a_vector_that_is_damaged_is_computed_anew(path: Path, encoder: TextEncoder) -> None:
    with EmbeddingBank(path) as bank:
        right = bank.embeddings(encoder, ["liver"])
        changed(path, "vector = x'0000'")
        assert (bank.embeddings(encoder, ["liver"]) == right).all()
        assert (bank.embeddings(encoder, ["liver"]) == right).all() and len(bank) == 1


def test_a_vector_of_a_wrong_length(path: Path, encoder: TextEncoder) -> None:
    with EmbeddingBank(path) as bank:
        bank.embeddings(encoder, ["liver"])
        changed(path, "dim = 4")
        with pytest.raises(EmbeddingBankError, match=r"is damaged .* delete it"):
            bank.embeddings(encoder, ["liver"])


def test_a_file_that_may_only_be_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Opened as for a user without the right to write; the user of the tests may have all rights."""
    EmbeddingBank(path).close()
    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda file, **options: connect(f"file:{file}?mode=ro", uri=True, **options)
    )
    assert "it cannot be written: give yourself the right to" in refusal(path)


def test_a_bank_that_another_keeps(path: Path, encoder: TextEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.embedding_bank, "_BUSY_TIMEOUT_S", 0.05)
    EmbeddingBank(path).close()
    keeper = sqlite3.connect(path, isolation_level=None)
    keeper.execute("BEGIN EXCLUSIVE")
    start = time.monotonic()
    assert "another process has been writing" in refusal(path)
    assert time.monotonic() - start < 5
    keeper.close()
    with EmbeddingBank(path) as bank:
        bank.embeddings(encoder, ["liver"])


def test_a_closed_bank_says_so(path: Path, encoder: TextEncoder) -> None:
    bank = EmbeddingBank(path)
    bank.close()
    with pytest.raises(EmbeddingBankError, match="closed"):
        bank.embeddings(encoder, ["liver"])
