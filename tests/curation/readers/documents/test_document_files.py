"""Documents as files: those of more markup than any report has are refused before it is read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from curation.runtime.errors import InputError
from curation.runtime.limits import Limit
from tests.curation.readers.reading import read_table

CDA = (
    '<ClinicalDocument xmlns="urn:hl7-org:v3"><component><section><text>',
    "</text></section></component></ClinicalDocument>",
)


@pytest.mark.parametrize(
    ("name", "front", "piece", "end"),
    [
        ("x.html", "<html><body>", "<b>", "</body></html>"),
        ("x.html", "<html><body>", "&amp;", "</body></html>"),
        ("x.xml", CDA[0], "<p/>", CDA[1]),
        ("x.rtf", "{\\rtf1 ", "{}", "}"),
        ("x.rtf", "{\\rtf1 ", "\\b ", "}"),
    ],
)
def test_too_much_markup(name: str, front: str, piece: str, end: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(front + piece * 1_000_001 + end)
    with pytest.raises(InputError, match=rf"{name}: a document with 1,000,\d\d\d marks .*; a report has less"):
        read_table(tmp_path / name)


def test_too_much_markup_in_a_word_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("curation.readers.documents.docx.MARKS_OF_DOCUMENT", Limit(10_000, ""))
    with zipfile.ZipFile(tmp_path / "x.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", '<w:document xmlns:w="w"><w:body>' + "<w:p/>" * 20_000)
    with pytest.raises(InputError, match="more than 10,000 marks; a report has less"):
        read_table(tmp_path / "x.docx")


@pytest.mark.parametrize("depth", [300, 100_000])
def test_depth_and_entities(depth: int, tmp_path: Path) -> None:
    (tmp_path / "x.xml").write_text(CDA[0] + "<p>" * depth)
    with pytest.raises(InputError, match="depth"):
        read_table(tmp_path / "x.xml")
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(9))
    (tmp_path / "x.xml").write_text(f'<!DOCTYPE x [<!ENTITY a0 "a">{entities}]>{CDA[0]}&a9;{CDA[1]}')
    with pytest.raises(InputError):
        read_table(tmp_path / "x.xml")
