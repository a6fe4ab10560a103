"""RTF as Word, LibreOffice and reporting systems write it."""

from __future__ import annotations

import time

import pytest

from curation.readers.documents.rtf import is_rtf, rtf_text
from curation.readers.rows import DamagedError

FONTS = r"{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset2 Wingdings;}{\f2\fcharset2 Symbol;}{\f3\fcharset238 Arial;}}"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"Liver \b normal\b0 .\par\pard Spleen normal.", "Liver normal.\nSpleen normal."),
        (r"Gr\'f6\'dfe \u228?rztlich \u8804\'3c5 mm", "Größe ärztlich ≤5 mm"),
        (r"\uc0\u8805 5 \uc2\u8805 >=5 {\uc1\u946?}x", "≥5 ≥5 βx"),
        (r"{\header Dr. A}{\footer page 1}{\*\generator G;}{\info{\title T}}Text", "Text"),
        (r"{\pict\pngblip 89504e47}a{\*\shppict{\pict 00}}b", "ab"),
        (r"No {\deleted acute }{\v hidden }{\strike old }fracture", "No fracture"),
        (r"\deleted old\deleted0 new {\v x\plain  y}", "new y"),
        (r"{\listtext 1.\tab}Cyst\par{\pntext 2.\tab}Stone", "1.\tCyst\n2.\tStone"),
        (r"{\shp{\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt In a box\par}}{\shprslt x}}after", "In a box\nafter"),
        (r'{\field{\*\fldinst{HYPERLINK "http://x"}}{\fldrslt see}} end', "see end"),
        (
            r"\trowd Liver\cell normal\cell\row\trowd Spleen\cell\cell\row\pard End",
            "Liver | normal\nSpleen\nEnd",
        ),
        (r"{\f1\'fe} stones {\f1\u-3928?} cysts {\f2\'b3}5 {\f3\'b3}", "☑ stones ☐ cysts ≥5 ł"),
        (r"\~a\_b\-c\line\{d\}\\", "a-bc\n{d}\\"),
        (r"a\bin4 {{}}b", "ab"),
        ("The liver\r\n is\\\nnormal", "The liver is\nnormal"),
        (r"\u-10179?\u-8704?", "😀"),
    ],
)
def test_what_the_page_shows(body: str, text: str) -> None:
    rtf = rf"{{\rtf1\ansi\ansicpg1252\deff0{FONTS}\f0 {body}}}"
    assert rtf_text(rtf) == text
    assert rtf_text(rtf.encode("latin-1") + b"\r\n\0") == text


@pytest.mark.parametrize("ticked", [True, False])
def test_tick_boxes(ticked: bool) -> None:
    field = rf"{{\*\formfield{{\fftype1\ffres25{{\*\ffname C1}}\ffdefres{int(ticked)}}}}}"
    rtf = rf"{{\rtf1{{\field{{\*\fldinst{{ FORMCHECKBOX }}{field}}}{{\fldrslt }}}}Gallstones}}"
    assert rtf_text(rtf) == ("[x] Gallstones" if ticked else "[ ] Gallstones")
    assert rtf_text(rtf.replace("ffres25", "ffres0")) == "[ ] Gallstones"


def test_code_pages() -> None:
    assert rtf_text(b"{\\rtf1\\ansi\\ansicpg1250 Sk\\'f3ra \xb3}") == "Skóra ł"
    assert rtf_text(r"{\rtf1\ansi\ansicpg932 \'82\'a0\'83A}") == "あア"
    assert rtf_text(r"{\rtf1\mac Caf\'8e}") == "Café"
    assert rtf_text(r"{\rtf1\ansi Größe ≤ 5}") == "Größe ≤ 5"
    with pytest.raises(DamagedError, match="unknown code page 9999"):
        rtf_text(r"{\rtf1\ansicpg9999 x}")


def test_damaged_documents() -> None:
    with pytest.raises(DamagedError, match="cut off at character 17: 2 of its groups are not closed"):
        rtf_text(r"{\rtf1 No {\b acu")
    with pytest.raises(DamagedError, match="no RTF"):
        rtf_text("Text")
    with pytest.raises(DamagedError, match="nested deeper than 1,000 groups at character"):
        rtf_text("{\\rtf1 " + "{" * 100_000 + "}" * 100_001)
    assert rtf_text(r"{\rtf1 }") == ""


def test_time_grows_with_the_size_alone() -> None:
    started = time.perf_counter()
    rtf_text(r"{\rtf1 " + r"{\field{\*\fldinst{x}}}" * 20_000 + r"{\pict " + "0a" * 1_000_000 + "}}")
    assert time.perf_counter() - started < 5


def test_recognised() -> None:
    assert is_rtf(" \n{\\rtf1 x}") and is_rtf(b"\xef\xbb\xbf{\\rtf1") and not is_rtf("{rtf") and not is_rtf("")
