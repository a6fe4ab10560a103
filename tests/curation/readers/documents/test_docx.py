"""Word documents."""

from __future__ import annotations

import io
import zipfile

import pytest

from curation.readers.documents.docx import docx_text
from curation.readers.rows import DamagedError
from tests.curation.readers.documents.samples import word_document


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def paragraph(*runs: str) -> str:
    return f"<w:p><w:pPr><w:rPr><w:strike/></w:rPr><w:tabs><w:tab w:val='left'/></w:tabs></w:pPr>{''.join(runs)}</w:p>"


def read(body: str) -> str:
    return docx_text(io.BytesIO(word_document(body, **{"word/header1.xml": "<x>Head</x>"})))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (paragraph(run("Liver "), run("normal", "<w:b/>")) + paragraph(run("Spleen.")), "Liver normal\nSpleen."),
        (paragraph(run("a"), "<w:r><w:tab/><w:br/><w:noBreakHyphen/></w:r>", run("b")), "a\t\n-b"),
        (
            f"<w:tbl><w:tr><w:tc>{paragraph(run('Liver'))}</w:tc><w:tc>{paragraph(run('normal'))}</w:tc></w:tr></w:tbl>",
            "Liver | normal",
        ),
        (
            paragraph(
                run("No "),
                f"<w:del>{run('acute ')}</w:del><w:ins>{run('new ')}</w:ins>",
                run("old ", "<w:strike/>"),
                run("hidden ", "<w:vanish/>"),
                run("fracture", '<w:strike w:val="0"/>'),
            ),
            "No new fracture",
        ),
        (
            f"<w:sdt><w:sdtPr><w:alias/></w:sdtPr><w:sdtContent>{paragraph(run('chosen'))}</w:sdtContent></w:sdt>",
            "chosen",
        ),
        (
            paragraph(
                run("a"),
                "<w:r><AlternateContent><Choice><w:txbxContent>"
                + paragraph(run("box"))
                + "</w:txbxContent></Choice><Fallback><w:t>box</w:t></Fallback></AlternateContent></w:r>",
            ),
            "a\nbox",
        ),
        (paragraph('<w:r><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>', run(" Stones")), "☑ Stones"),
        (
            paragraph(
                "<w:r><w:fldChar><w:ffData><w:checkBox><w:default w:val='0'/><w:checked/></w:checkBox></w:ffData>"
                "</w:fldChar><w:instrText>FORMCHECKBOX</w:instrText></w:r>",
                run("Stones"),
            ),
            "[x] Stones",
        ),
        ("", ""),
    ],
)
def test_what_the_page_shows(body: str, text: str) -> None:
    assert read(body) == text


def test_damaged_documents() -> None:
    whole = word_document(paragraph(*(run(f"Liver {number} normal. ") for number in range(2000))))
    for raw, message in (
        (whole[: len(whole) // 2], "cut off or corrupt"),
        (whole[:100] + bytes(500) + whole[600:], "corrupt|cannot be read from line"),
        (word_document("<w:p>"), "cannot be read from line 1, column"),
        # The place of the list of parts in the archive, so that the first one would lie before the file.
        (
            whole[:-6] + (int.from_bytes(whole[-6:-2], "little") + 9).to_bytes(4, "little") + whole[-2:],
            "cut off or corrupt",
        ),
    ):
        with pytest.raises(DamagedError, match=message):
            docx_text(io.BytesIO(raw))
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    with pytest.raises(DamagedError, match=r"no word/document\.xml"):
        docx_text(empty)


def test_depth_costs_nothing() -> None:
    assert read("<w:p>" * 100_000 + run("x") + "</w:p>" * 100_000) == "x"


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("word/document.xml", "w") as part:
        for _ in range(70):
            part.write(b" " * (1 << 20))
    with pytest.raises(DamagedError, match="73,400,320 bytes of text"):
        docx_text(file)
