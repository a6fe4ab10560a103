"""Gzipped files: what is packed tighter than any report is refused before anything reads it."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest

from curation.readers.decoding import open_bytes
from curation.runtime.errors import InputError
from tests.curation.readers.reading import read_table

MEGABYTE = 1 << 20


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("x.csv.gz", b"\n"),
        ("x.csv.gz", b'1,"a\n'),
        ("x.csv.gz", b"a,"),
        ("x.jsonl.gz", b"\n"),
        ("x.json.gz", b"1,"),
        ("x.json.gz", b'{"resource":{"resourceType":"DiagnosticReport"}},'),
        ("x.hl7.gz", b"MSH|^~\\&|a\r"),
        ("x.html.gz", b"<b>"),
    ],
)
@pytest.mark.parametrize("position", ["front", "behind"])
def test_a_bomb_is_refused(name: str, piece: bytes, position: str, tmp_path: Path) -> None:
    whole = {
        "x.csv.gz": b"id,report\n" + b"".join(b"%d,Liver %d normal.\n" % (n, n * n) for n in range(100)),
        "x.jsonl.gz": b"".join(b'{"id": %d, "report": "Liver normal."}\n' % n for n in range(100)),
        "x.json.gz": b'[{"id": 1, "report": "Liver normal."},',
        "x.hl7.gz": b"MSH|^~\\&|a|b|c|d|2020||ORU^R01|1|P|2.3\rOBR|1||7|CT\rOBX|1|TX|1||Normal.\r",
        "x.html.gz": b"<html><body>",
    }[name]
    if b"resource" in piece:
        whole = b'{"resourceType": "Bundle", "entry": ['
    with gzip.open(tmp_path / name, "wb") as file:
        file.write(whole if position == "behind" else whole[:40] if name != "x.csv.gz" else b"")
        for _ in range(5):
            file.write(piece * (MEGABYTE // len(piece)))
    with pytest.raises(InputError, match=rf"{name}: from byte [0,]+ on, 2,097,152 bytes .* set OVCT_MOST_PACKED"):
        read_table(tmp_path / name)


def test_a_bomb_behind_much_text_is_refused_where_it_begins(tmp_path: Path) -> None:
    chance = random.Random(1)
    rows = "".join(f"{number},{chance.random()} mm\n" for number in range(200_000))
    with gzip.open(tmp_path / "x.csv.gz", "wt", compresslevel=1) as file:
        file.write(f"id,report\n{rows}" + "\n" * 8 * MEGABYTE)
    with open_bytes(tmp_path / "x.csv.gz") as stream, pytest.raises(InputError, match="from byte 6,291,456 on"):
        while stream.read(MEGABYTE):
            pass


def test_tables_that_repeat_themselves_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["The liver is normal.", "No acute abnormality.", "Unremarkable. " * 20]
    rows = [f"{number},{texts[number % 3]}\n" for number in range(60_000)]
    with gzip.open(tmp_path / "x.csv.gz", "wt", compresslevel=9) as file:
        file.write("id,report\n" + "".join(rows))
    with open_bytes(tmp_path / "x.csv.gz") as stream:
        assert stream.read() == ("id,report\n" + "".join(rows)).encode()
        stream.seek(0)
        assert stream.read(9) == b"id,report"
    with gzip.open(tmp_path / "y.gz", "wb") as file:
        file.write(b"a" * 3 * MEGABYTE)
    monkeypatch.setenv("OVCT_MOST_PACKED", "2000")
    with open_bytes(tmp_path / "y.gz") as stream:
        assert len(stream.read()) == 3 * MEGABYTE


def test_files_that_were_put_together(tmp_path: Path) -> None:
    parts = [gzip.compress(f"{number}\n".encode() * 9) for number in range(300)]
    (tmp_path / "x.gz").write_bytes(b"".join(parts) + b"\0" * 500)
    with open_bytes(tmp_path / "x.gz") as stream:
        assert stream.read() == b"".join(f"{number}\n".encode() * 9 for number in range(300))
    (tmp_path / "x.gz").write_bytes(b"".join(parts)[:-3])
    with open_bytes(tmp_path / "x.gz") as stream, pytest.raises(EOFError):
        stream.read()
