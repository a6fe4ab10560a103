"""Bytes to text, whatever the encoding."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.readers import decoding
from curation.readers.decoding import (
    describe_encoding,
    open_bytes,
    read_lines,
    read_pieces,
    repair,
    sniff_encoding,
)
from curation.readers.rows import DamagedError
from curation.runtime.errors import InputError

TEXT = 'id,report\r\n1,"Çok küçük nodül: 3 × 4 mm, 40° – naïve café."\r\n2,liver\r\n'


def lines(path: Path) -> list[str]:
    with open_bytes(path) as stream:
        return list(read_lines(stream, path))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str, packed: bool) -> None:
    path = tmp_path / "x.csv"
    raw = TEXT.encode(encoding)
    path.write_bytes(gzip.compress(raw) if packed else raw)
    assert "".join(lines(path)) == TEXT
    assert len(lines(path)) == 3


def test_big_endian_with_mark_and_latin_1(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"\xfe\xff" + TEXT.encode("utf-16-be"))
    assert "".join(lines(path)) == TEXT
    path.write_bytes("café\n".encode("latin-1"))
    assert lines(path) == ["café\n"]


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"", "utf-8"),
        (b"plain", "utf-8"),
        ("Größe".encode(), "utf-8"),
        ("Größe".encode()[:-2], "utf-8"),
        ("Größ".encode()[:-1], "utf-8"),
        ("Größe".encode("latin-1"), "windows-1252"),
        ("Größe ".encode() + b"caf\xe9\n", "utf-8 and windows-1252"),
        ("Größe".encode("utf-8-sig"), "utf-8-sig"),
        ("Größe".encode("utf-16"), "utf-16"),
        ("Liver is normal.".encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_the_encoding_has_a_name_for_people(head: bytes, name: str) -> None:
    """Also where the beginning of a file ends within a letter."""
    assert describe_encoding(head) == name


def test_stray_bytes_behind_a_long_clean_beginning(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"plain\n" * 50_000 + "küçük\n".encode() + "naïve \x93\n".encode("latin-1") + b"\x81\n")
    assert lines(path)[50_000:] == ["küçük\n", "naïve “\n", "\x81\n"]


def test_truncated_and_corrupt_gzip(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    packed = gzip.compress("".join(f"{number},{number**9}\n" for number in range(3000)).encode())
    path.write_bytes(packed[:-500])
    with open_bytes(path) as stream:
        read = read_lines(stream, path)
        assert next(read) == "0,0\n"
        with pytest.raises(DamagedError, match="cut off or corrupt"):
            list(read)
    path.write_bytes(packed[:2000] + b"\0" * 50 + packed[2050:])
    with open_bytes(path) as stream, pytest.raises(DamagedError):
        list(read_lines(stream, path))


def test_missing_empty_and_forbidden(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.csv: no such file or folder"):
        lines(tmp_path / "nothing.csv")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(InputError, match="is empty"):
        lines(tmp_path / "empty.csv")


def test_a_line_longer_than_any_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "LONGEST_LINE", 100)
    path = tmp_path / "x.csv"
    path.write_bytes(b"a" * 1000)
    with pytest.raises(InputError, match="a line of over 100 characters"):
        lines(path)
    with open_bytes(path) as stream:
        assert list(read_pieces(stream, 400)) == ["a" * 400, "a" * 400, "a" * 200]


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_decode(raw: bytes) -> None:
    text = repair(raw.decode("utf-8", "surrogateescape"))
    text.encode("utf-8")
    assert raw.decode(sniff_encoding(raw), "replace") is not None
