"""Stores the vectors of texts in one file on disk, so that no text is embedded twice by the same encoder."""

from __future__ import annotations

import hashlib
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

# "ovct", in the field of an SQLite file that names its application.
_APPLICATION_ID = int.from_bytes(b"ovct", "big")
_VERSION = 2
# The first version had no digests: its vectors are computed anew.
_FIRST_VERSION = 1
_TABLE = """CREATE TABLE embedding (
    fingerprint TEXT NOT NULL, text TEXT NOT NULL, dim INTEGER NOT NULL, vector BLOB NOT NULL, digest BLOB NOT NULL,
    PRIMARY KEY (fingerprint, text))"""
_BUSY_TIMEOUT_S = 60.0
# Texts in one query, below the 999 values that every SQLite takes.
_TEXTS_PER_QUERY = 500
# Texts embedded before they are stored: the most that a run that is killed may lose.
_TEXTS_PER_COMMIT = 4096
# By the family of SQLite's error code, its lowest byte.
_WAYS_OUT = {
    sqlite3.SQLITE_NOTADB: "it is damaged or no bank: delete it, and it is filled again, or name another file",
    sqlite3.SQLITE_CORRUPT: "it is damaged: delete it, and it is filled again",
    sqlite3.SQLITE_BUSY: "another process has been writing to it for a minute: wait for that one",
    sqlite3.SQLITE_READONLY: "it cannot be written: give yourself the right to, or name another file",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: name a file in a folder that can be written",
    sqlite3.SQLITE_FULL: "make room on its disk, or name a file on another",
}


class EmbeddingBankError(ValueError):
    """Raised where the bank's file cannot be used as it is; the message names the file and the way out."""

    exit_code = 2


class EmbeddingBank:
    """A cache of embeddings by encoder (its fingerprint) and exact text, in a file that is made where there is none.

    One thread at a time may use it; each process opens the file for itself, and several may use the same. Vectors are
    stored completely or not at all, whenever a process is killed. The file may be deleted at any time. A folder that
    cannot be written is refused, as nothing would be cached. Raises ``EmbeddingBankError``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddingBankError(f"{path} cannot be made ({error}): name a file in another folder") from error
        with self._translated_errors():
            self._database = sqlite3.connect(path.absolute(), isolation_level=None, timeout=_BUSY_TIMEOUT_S)
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        self._database.create_function("ovct_digest", 3, _digest, deterministic=True)
        # The plain journal, not WAL: a bank may lie on a network drive that several machines share.
        with self._transaction():
            if self._database.execute("SELECT 1 FROM sqlite_master").fetchone() is None:
                self._database.execute(_TABLE)
                self._database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                self._database.execute(f"PRAGMA user_version = {_VERSION}")
            if self._number("PRAGMA application_id") != _APPLICATION_ID:
                raise EmbeddingBankError(f"{self.path} is no bank of embeddings: name another file")
            version = self._number("PRAGMA user_version")
            if version == _FIRST_VERSION:
                self._database.execute("DROP TABLE embedding")
                self._database.execute(_TABLE)
            elif version != _VERSION:
                raise EmbeddingBankError(
                    f"{self.path} was written by another version of ovct (layout {version}, not {_VERSION}): "
                    "delete it, or name another file"
                )
            # Where nothing can be written, this fails, and not the first text after minutes of work.
            self._database.execute(f"PRAGMA user_version = {_VERSION}")

    def embeddings(self, encoder: TextEncoder, texts: Sequence[str], batch_size: int = 64) -> Tensor:
        """Return vectors (N, E) of the texts in order, float32, on the CPU, as ``encoder.encode`` computes them.

        Only texts that the file lacks are embedded, and then stored; a stored vector is returned bit for bit.
        Raises ``EmbeddingBankError``, and as ``checked_texts``.
        """
        fingerprint = encoder.fingerprint()
        texts = checked_texts(texts)
        distinct = list(dict.fromkeys(texts))
        vector_of = self._stored(fingerprint, distinct, encoder.embedding_dim)
        missing = [text for text in distinct if text not in vector_of]
        for chunk in _chunks(missing, _TEXTS_PER_COMMIT):
            vectors = encoder.encode(chunk, batch_size).numpy()
            self._store(fingerprint, chunk, vectors)
            # Another process may have been first: the stored vector counts, so that all of them work with the same.
            stored = self._stored(fingerprint, chunk, encoder.embedding_dim)
            vector_of |= dict(zip(chunk, vectors, strict=True)) | stored
        table = np.empty((len(texts), encoder.embedding_dim), np.float32)
        for row, text in enumerate(texts):
            table[row] = vector_of[text]
        return torch.from_numpy(table)

    def _stored(self, fingerprint: str, texts: Sequence[str], dim: int) -> dict[str, np.ndarray]:
        """Return the vectors (E) of those texts that the file has."""
        vectors = {}
        for chunk in _chunks(texts, _TEXTS_PER_QUERY):
            marks = ", ".join("?" * len(chunk))
            query = f"SELECT text, dim, vector, digest FROM embedding WHERE fingerprint = ? AND text IN ({marks})"
            with self._translated_errors():
                rows = self._database.execute(query, (fingerprint, *chunk)).fetchall()
            for text, stored_dim, vector, digest in rows:
                if digest == _digest(fingerprint, text, vector):  # a vector that was damaged is computed anew
                    vectors[text] = self._vector(vector, stored_dim, dim)
        return vectors

    def _vector(self, stored: bytes, stored_dim: int, dim: int) -> np.ndarray:
        if stored_dim != dim or len(stored) != 4 * dim:
            raise EmbeddingBankError(
                f"{self.path} is damaged (a vector of {stored_dim} numbers in {len(stored)} bytes, not of {dim}): "
                "delete it, and it is filled again"
            )
        return np.frombuffer(stored, "<f4")

    def _store(self, fingerprint: str, texts: Sequence[str], vectors: np.ndarray) -> None:
        content = (
            (text, len(vector), vector.astype("<f4").tobytes()) for text, vector in zip(texts, vectors, strict=True)
        )
        rows = [(fingerprint, *row, _digest(fingerprint, row[0], row[2])) for row in content]
        damaged = [(fingerprint, text) for text in texts]
        with self._transaction():
            # Another process may have stored some of them meanwhile: those stay. What is damaged does not.
            self._database.executemany(
                "DELETE FROM embedding WHERE fingerprint = ? AND text = ? "
                "AND digest != ovct_digest(fingerprint, text, vector)",
                damaged,
            )
            self._database.executemany("INSERT OR IGNORE INTO embedding VALUES (?, ?, ?, ?, ?)", rows)

    def __len__(self) -> int:
        """Return the number of vectors in the file, of all encoders."""
        with self._translated_errors():
            return self._number("SELECT count(*) FROM embedding")

    def _number(self, query: str) -> int:
        return int(self._database.execute(query).fetchone()[0])

    def close(self) -> None:
        """Close the file. All that was embedded is in it."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit all that the block writes, or nothing of it; wait for other writers before the block reads."""
        with self._translated_errors():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Raise an EmbeddingBankError, with the way out, for an error of SQLite."""
        try:
            yield
        except sqlite3.Error as error:
            # An extended code has its family in the lowest byte.
            family = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
            way_out = _WAYS_OUT.get(family, "name another file")
            raise EmbeddingBankError(f"the bank of embeddings {self.path}: {error}; {way_out}") from error


def _digest(fingerprint: str, text: str, vector: bytes) -> bytes:
    """Return the digest of a row: SQLite does not notice a byte that has changed in it."""
    key = f"{fingerprint}\0{text}\0".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(key + vector, digest_size=8).digest()


def _chunks(texts: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), size):
        yield texts[start : start + size]
