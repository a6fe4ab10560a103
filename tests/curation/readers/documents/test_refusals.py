"""Files that hold no text: told by their bytes, whatever their names, with a way out and none of their bytes."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from curation.runtime.errors import InputError
from tests.curation.readers.reading import read_table


def zipped(**files: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a.txt"), io.BytesIO(b""))
    return file.getvalue()


REFUSED = {
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "pdftotext -layout"),
    "old office": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "an old Excel workbook|an old Word document"),
    "ods": (zipped(mimetype="application/vnd.oasis.opendocument.spreadsheet"), "save it as .xlsx"),
    "odt": (zipped(mimetype="application/vnd.oasis.opendocument.text"), "save it as .docx"),
    "zip": (zipped(a="x"), r"an archive \(ZIP\): unpack it"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(50), r"\(7z\): unpack it"),
    "tar": (tarred(), r"\(tar\): unpack it"),
    "tar.gz": (gzip.compress(tarred()), r"\(tar\): unpack it"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(50), r"an image \(PNG\)"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(50), r"an image \(JPEG\)"),
    "tiff": (b"II*\0" + bytes(50), r"an image \(TIFF\)"),
    "program": (b"MZ\x90\0\x03\0\0\0\x04" + bytes(50), "a program"),
    "elf": (b"\x7fELF\x02\x01" + bytes(50), "a program"),
    "sqlite": (b"SQLite format 3\0" + bytes(50), "an SQLite database"),
    "noise": (random.Random(7).randbytes(5000), "binary data"),
    "zeros": (bytes(5000), "binary data"),
    "other xml": (b"<?xml version='1.0'?><dataset><report>x</report></dataset>", r"XML \(dataset\) that is no"),
}


@pytest.mark.parametrize("name", ["x.csv", "x.txt", "x.json", "x", "x.doc"])
@pytest.mark.parametrize("kind", REFUSED)
def test_told_by_their_bytes(tmp_path: Path, name: str, kind: str) -> None:
    raw, message = REFUSED[kind]
    (tmp_path / name).write_bytes(raw)
    with pytest.raises(InputError, match=message) as error:
        read_table(tmp_path / name)
    shown = str(error.value).removeprefix(f"{tmp_path / name}: ")
    assert shown.isascii() and shown.isprintable()


def test_a_page_named_as_a_workbook(tmp_path: Path) -> None:
    (tmp_path / "x.xls").write_text("<html><table><tr><td>report</td></tr></table></html>")
    with pytest.raises(InputError, match=r"open it in Excel and save it as \.xlsx"):
        read_table(tmp_path / "x.xls")


@pytest.mark.parametrize("text", ["MZ, 64 years.", "BZ ok", "II* x", "The\0liver is normal.", "\x0bMSA\x1c\r"])
def test_texts_are_no_binary_data(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.txt").write_text(text)
    assert read_table(tmp_path / "x.txt")[0][0]["text"] == text
