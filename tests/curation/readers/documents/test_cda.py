"""Clinical documents, with sections and with a body of another kind."""

from __future__ import annotations

import base64

import pytest

from curation.readers.documents.cda import is_cda, read_cda
from curation.readers.rows import DamagedError
from tests.curation.readers.documents.samples import CDA, CDA_TEXT, cda_with_body


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "utf-16"])
def test_sections_and_header(charset: str) -> None:
    document = read_cda(CDA.replace("utf-8", charset).encode(charset))
    assert document.text == CDA_TEXT
    assert document[:-1] == ("R-17", "S-9", 2, "20240105103000", "ACC-5", "CT of the abdomen; Diagnostic imaging study")


def test_a_wrong_charset_is_read_all_the_same() -> None:
    raw = CDA.replace("enlarged", "größer").encode("latin-1", "xmlcharrefreplace")
    assert read_cda(raw).text == CDA_TEXT.replace("enlarged", "größer")


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("text/plain", "The liver is normal."),
        ("text/rtf", r"{\rtf1 The liver is {\b normal}.}"),
        ("text/html", "<p>The liver is <b>normal</b>."),
    ],
)
def test_bodies_of_other_kinds(media_type: str, content: str) -> None:
    encoded = base64.encodebytes(content.encode()).decode()
    document = read_cda(cda_with_body(f'<text mediaType="{media_type}" representation="B64">{encoded}</text>'))
    assert (document.document_id, document.text) == ("1.2.3", "The liver is normal.")


@pytest.mark.parametrize(
    ("cda", "message"),
    [
        (CDA[: CDA.index("No ascites")], r"cannot be read from line 20, column \d+"),
        (CDA.replace("<title>CT", "<title>CT & MR"), "line 7"),
        (CDA.replace("?>\n<Clin", '?>\n<!DOCTYPE x [<!ENTITY a "b">]>\n<Clin', 1), "DOCTYPE"),
        (cda_with_body('<text mediaType="application/pdf" representation="B64">JVBERi0=</text>'), "pdftotext"),
        (cda_with_body('<text representation="B64">JVBER</text>'), "no base64"),
        (cda_with_body("<a>" * 400 + "</a>" * 400), "Excessive depth"),
        ("<other/>", "root is 'other'"),
    ],
)
def test_damaged_documents(cda: str, message: str) -> None:
    with pytest.raises(DamagedError, match=message):
        read_cda(cda)


def test_an_empty_document_has_no_text() -> None:
    assert read_cda(cda_with_body("<text/>")).text == ""


def test_external_entities_are_not_fetched(tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("files") / "secret.txt"
    secret.write_text("SECRET")
    cda = CDA.replace("?>\n<Clin", f'?>\n<!DOCTYPE x [<!ENTITY a SYSTEM "{secret.as_uri()}">]>\n<Clin', 1)
    with pytest.raises(DamagedError) as error:
        read_cda(cda.replace("No ascites", "&a;"))
    assert "SECRET" not in str(error.value)


def test_recognised() -> None:
    assert is_cda(CDA) and is_cda("<!-- a --><cda:ClinicalDocument>") and is_cda(cda_with_body(""))
    for head in ("<html>ClinicalDocument", "<a><ClinicalDocument>", "ClinicalDocument", "", "<ClinicalDocuments>"):
        assert not is_cda(head)
