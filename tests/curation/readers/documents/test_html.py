"""HTML pages of reporting systems and pieces of them."""

from __future__ import annotations

import time

import pytest

from curation.readers.documents.html import html_text, is_html_page
from curation.readers.rows import DamagedError


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Liver <b>normal</b>.<p>Spleen &lt;&nbsp;12\n cm", "Liver normal.\n\nSpleen < 12 cm"),
        ("<div>a<br>b</div><div>c</div>", "a\nb\nc"),
        ("<ul><li>One<li>Two</ul>End", "One\nTwo\n\nEnd"),
        ("<table><tr><th>Organ<th>Seen<tr><td><p>Liver</p><td>normal</table>", "Organ | Seen\nLiver | normal"),
        (
            "<html><head><title>T</title><style>p{}</style></head><h2>Findings</h2>x</html>",
            "Findings\n\nx",
        ),
        ("a<script>if (a<b) {}</script><!-- no --><p hidden>b</p><p style='display: none'>c<br></p>d", "a\n\nd"),
        ("No <del>acute</del><s>old</s> fracture", "No fracture"),
        ("<input type=checkbox checked>Stones<br><input type=checkbox>Cyst", "[x] Stones\n[ ] Cyst"),
        ("Size <select><option>1<option selected>2</select><input value=mm>", "Size 2mm"),
        ("<pre>Liver:  normal\nSpleen: normal</pre>", "Liver: normal\nSpleen: normal"),
        ("Lesion < 5 mm & cyst", "Lesion < 5 mm & cyst"),
        ("", ""),
        ("<p>half \ud800 a pair", "half ? a pair"),
    ],
)
def test_what_the_page_shows(html: str, text: str) -> None:
    assert html_text(html) == text


def test_bytes_are_decoded() -> None:
    assert html_text('<meta charset="iso-8859-1"><p>Größe'.encode("latin-1")) == "Größe"


@pytest.mark.parametrize(
    ("html", "message"),
    [
        ("<html><body>\nLiver", r"line 2: there is no </html>"),
        ("<p>Liver\n<!-- x", "the comment at line 2 is not closed"),
        ("<p>Liver\n</p", "line 2: its last tag is not closed"),
        ("<p>" + "Liver. " * 2_000_000, "cannot be read from line 1"),
    ],
)
def test_damaged_pages(html: str, message: str) -> None:
    with pytest.raises(DamagedError, match=message):
        html_text(html)


@pytest.mark.parametrize("piece", ["<div>", "<b>", "<![CDATA[>", "<!-- > -->", "<a b='>", "<table><tr><td>"])
def test_time_grows_with_the_size_alone(piece: str) -> None:
    started = time.perf_counter()
    html_text(piece * (200_000 // len(piece)) + "x")
    assert time.perf_counter() - started < 5


def test_pages_are_told_by_their_start() -> None:
    for head in (
        "<!DOCTYPE html>",
        "\ufeff\n<HTML lang=en>",
        "<?xml version='1.0'?><html xmlns=''>",
        "<!-- a --> <body>",
    ):
        assert is_html_page(head)
    for head in ("<p>x</p>", "<PERSON> was seen", "Liver < body", "", "<htmlx>"):
        assert not is_html_page(head)
