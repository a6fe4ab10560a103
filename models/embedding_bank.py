"""Vectors of texts that were embedded before, in one file on disk: looked up again, not worked out again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import torch
from torch import Tensor

from .prompt_handling import checked_texts

if TYPE_CHECKING:
    from .text import TextEncoder

# "ovct", in the place where SQLite's files say whose they are.
_OURS = int.from_bytes(b"ovct", "big")
_VERSION = 1
_TABLE = """CREATE TABLE embedding (
    fingerprint TEXT NOT NULL, text TEXT NOT NULL, dim INTEGER NOT NULL, vector BLOB NOT NULL,
    PRIMARY KEY (fingerprint, text))"""
_PATIENCE_S = 60.0
# Texts that one question names, below the 999 values that every SQLite takes.
_ASKED_AT_ONCE = 500
# Texts embedded before they are stored: what a run that is killed may lose.
_STORED_AT_ONCE = 4096


class EmbeddingBankError(ValueError):
    """The bank's file cannot be used as it is."""

    exit_code = 2


class EmbeddingBank:
    """A file of embeddings by encoder (its fingerprint) and exact text, made where there is none.

    Of one thread at a time; each process opens its own, and several may use one file. What is stored was stored whole,
    whenever a process is killed. A bank is only a memory: it may be deleted, and a folder that cannot be written is
    refused, since a bank that remembers nothing would only seem to be one. Raises ``EmbeddingBankError``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddingBankError(f"{path} cannot be made ({error}): name a file in another folder") from error
        with self._explained():
            self._base = sqlite3.connect(path.absolute(), isolation_level=None, timeout=_PATIENCE_S)
        try:
            self._prepare()
        except BaseException:
            self._base.close()
            raise

    def _prepare(self) -> None:
        # The plain journal, not WAL: a bank may lie on a network drive that several machines share.
        with self._transaction():
            if self._base.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
                self._base.execute(_TABLE)
                self._base.execute(f"PRAGMA application_id = {_OURS}")
                self._base.execute(f"PRAGMA user_version = {_VERSION}")
            if self._number("PRAGMA application_id") != _OURS:
                raise EmbeddingBankError(f"{self.path} is no bank of embeddings: name another file")
            if (version := self._number("PRAGMA user_version")) != _VERSION:
                raise EmbeddingBankError(
                    f"{self.path} was written by another version of ovct (layout {version}, not {_VERSION}): "
                    "delete it, or name another file"
                )
            # Where nothing can be written, this fails, and not the first text after minutes of work.
            self._base.execute(f"PRAGMA user_version = {_VERSION}")

    def embeddings(self, encoder: TextEncoder, texts: Sequence[str], batch_size: int = 64) -> Tensor:
        """Vectors (N, E) of the texts in their order, float32, on the CPU, as ``encoder.encode`` gives them.

        Only texts that the file lacks are embedded, and then stored; a stored vector is given back bit for bit.
        Raises ``EmbeddingBankError``, and as ``checked_texts``.
        """
        fingerprint = encoder.fingerprint()
        texts = checked_texts(texts)
        distinct = list(dict.fromkeys(texts))
        known = self._stored(fingerprint, distinct, encoder.embedding_dim)
        missing = [text for text in distinct if text not in known]
        for chunk in _chunks(missing, _STORED_AT_ONCE):
            vectors = encoder.encode(chunk, batch_size).numpy()
            self._store(fingerprint, chunk, vectors)
            # Another process may have been first: what is stored counts, so that all of them work with the same.
            known |= dict(zip(chunk, vectors, strict=True)) | self._stored(fingerprint, chunk, encoder.embedding_dim)
        found = np.empty((len(texts), encoder.embedding_dim), np.float32)
        for row, text in enumerate(texts):
            found[row] = known[text]
        return torch.from_numpy(found)

    def _stored(self, fingerprint: str, texts: Sequence[str], dim: int) -> dict[str, np.ndarray]:
        found = {}
        for chunk in _chunks(texts, _ASKED_AT_ONCE):
            marks = ", ".join("?" * len(chunk))
            query = f"SELECT text, dim, vector FROM embedding WHERE fingerprint = ? AND text IN ({marks})"
            with self._explained():
                rows = self._base.execute(query, (fingerprint, *chunk)).fetchall()
            for text, stored_dim, vector in rows:
                found[text] = self._vector(vector, stored_dim, dim)
        return found

    def _vector(self, stored: bytes, stored_dim: int, dim: int) -> np.ndarray:
        if stored_dim != dim or len(stored) != 4 * dim:
            raise EmbeddingBankError(
                f"{self.path} is damaged (a vector of {stored_dim} numbers in {len(stored)} bytes, not of {dim}): "
                "delete it, and it is filled again"
            )
        return np.frombuffer(stored, "<f4")

    def _store(self, fingerprint: str, texts: Sequence[str], vectors: np.ndarray) -> None:
        rows = [
            (fingerprint, text, len(vector), vector.astype("<f4").tobytes())
            for text, vector in zip(texts, vectors, strict=True)
        ]
        with self._transaction():
            self._base.executemany("INSERT OR IGNORE INTO embedding VALUES (?, ?, ?, ?)", rows)

    def __len__(self) -> int:
        """Vectors in the file, of all encoders."""
        with self._explained():
            return self._number("SELECT count(*) FROM embedding")

    def _number(self, query: str) -> int:
        return int(self._base.execute(query).fetchone()[0])

    def close(self) -> None:
        """Let go of the file. All that was embedded is in it."""
        self._base.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All that is written in the block, or nothing of it. It waits for other writers before it reads."""
        with self._explained():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            # An extended code has its family in the lowest byte.
            family = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            way_out = _WAYS_OUT.get(family, "name another file")
            raise EmbeddingBankError(f"the bank of embeddings {self.path}: {error}; {way_out}") from error


_WAYS_OUT = {
    sqlite3.SQLITE_NOTADB: "it is damaged or no bank: delete it, and it is filled again, or name another file",
    sqlite3.SQLITE_CORRUPT: "it is damaged: delete it, and it is filled again",
    sqlite3.SQLITE_BUSY: "another process has been writing to it for a minute: wait for that one",
    sqlite3.SQLITE_READONLY: "it cannot be written: give yourself the right to, or name another file",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: name a file in a folder that can be written",
    sqlite3.SQLITE_FULL: "make room on its disk, or name a file on another",
}


def _chunks(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), size):
        yield texts[start : start + size]
