"""Cutting reports into statements."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from curation.language.statements import LONGEST_STATEMENT, split_statements


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in split_statements(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param(" \n\t ", [], id="blanks"),
        pytest.param("... -- * ?", [], id="marks alone"),
        pytest.param("The liver is normal", ["The liver is normal"], id="no end"),
        pytest.param("  The liver is normal.  ", ["The liver is normal."], id="blanks around"),
        pytest.param(
            "The liver is normal. The spleen is enlarged.",
            ["The liver is normal.", "The spleen is enlarged."],
            id="two sentences",
        ),
        pytest.param("Is this a cyst? No mass!", ["Is this a cyst?", "No mass!"], id="question and exclamation"),
        pytest.param(
            "No mass.The spleen is small.", ["No mass.", "The spleen is small."], id="glued sentences, capital behind"
        ),
        pytest.param(
            "a nodule of 4 mm.The spleen is small.",
            ["a nodule of 4 mm.", "The spleen is small."],
            id="glued behind a unit",
        ),
        pytest.param("The liver is normal...", ["The liver is normal..."], id="several stops"),
        pytest.param(
            "Simple cyst in the liver; stone in the gallbladder.",
            ["Simple cyst in the liver", "stone in the gallbladder."],
            id="semicolon",
        ),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("A cyst of 1.5 cm is seen.", id="decimal point"),
        pytest.param("A cyst of 1,5 cm is seen.", id="decimal comma"),
        pytest.param("A cyst of 0.5 x 1.2 cm is seen.", id="two decimals"),
        pytest.param("Reported by Dr. Adams as a cyst.", id="Dr."),
        pytest.param("Stable e.g. in the left lung.", id="e.g."),
        pytest.param("Fracture vs. vascular groove.", id="vs."),
        pytest.param("A nodule of approx. 4 mm.", id="approx."),
        pytest.param("The lesion (see image no. 12) is new.", id="no. before a number"),
        pytest.param("A nodule of 5 mm. in diameter.", id="unit with a period, lower case behind"),
        pytest.param("Patchy opacities (infection? aspiration?) in both lungs.", id="question marks in parentheses"),
        pytest.param("Patchy Opacities (Infection? Aspiration?) in both lungs.", id="questions with capitals"),
        pytest.param("A lesion (cyst?) (unchanged) in the liver.", id="question before another bracket"),
        pytest.param("Wall thickening (gastritis?), not seen before.", id="question mark before a closing parenthesis"),
        pytest.param("A cyst in segment IVa.", id="segment with a letter"),
        pytest.param("The L4/L5 disc bulges.", id="slash"),
        pytest.param("The patient's liver is large.", id="apostrophe"),
    ],
)
def test_one_statement(text: str) -> None:
    assert cut(text) == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("1. Liver cyst.\n2. Renal stone.", ["Liver cyst.", "Renal stone."], id="1. 2. on lines"),
        pytest.param("1) Liver cyst\n2) Renal stone", ["Liver cyst", "Renal stone"], id="1) 2) without stops"),
        pytest.param("(1) Liver cyst.\n(2) Renal stone.", ["Liver cyst.", "Renal stone."], id="(1) (2)"),
        pytest.param("1. Liver cyst. 2. Renal stone.", ["Liver cyst.", "Renal stone."], id="1. 2. on one line"),
        pytest.param("- Liver cyst\n- Renal stone", ["Liver cyst", "Renal stone"], id="hyphens"),
        pytest.param("– Liver cyst\n– Renal stone", ["Liver cyst", "Renal stone"], id="dashes"),
        pytest.param("* Liver cyst\n* Renal stone", ["Liver cyst", "Renal stone"], id="asterisks"),
        pytest.param("• Liver cyst • Renal stone", ["Liver cyst", "Renal stone"], id="bullets on one line"),
        pytest.param("•Liver cyst\n•Renal stone", ["Liver cyst", "Renal stone"], id="bullets without a blank"),
        pytest.param("•Liver cyst •Renal stone", ["Liver cyst", "Renal stone"], id="bullets glued to their items"),
        pytest.param(
            "1. 5 mm nodule.\n2. 3 mm nodule.",
            ["5 mm nodule.", "3 mm nodule."],
            id="items that begin with sizes",
        ),
        pytest.param("5 mm nodule.", ["5 mm nodule."], id="a size is no list number"),
        pytest.param("10.5 mm nodule.", ["10.5 mm nodule."], id="a decimal is no list number"),
    ],
)
def test_lists(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            'Liver cyst. " " Renal stone.',
            ["Liver cyst.", "Renal stone."],
            id="findings and impression joined by quotes",
        ),
        pytest.param(
            'Liver cyst " Renal stone " Hiatal hernia',
            ["Liver cyst", "Renal stone", "Hiatal hernia"],
            id="items between quotes",
        ),
        pytest.param('"Liver cyst."', ["Liver cyst."], id="quotes around"),
        pytest.param(
            "The liver is\nnormal in size.", ["The liver is\nnormal in size."], id="wrapped line, lower case behind"
        ),
        pytest.param(
            "A nodule is seen in the\nRight lung.",
            ["A nodule is seen in the\nRight lung."],
            id="wrapped behind an article",
        ),
        pytest.param("Liver: normal\nSpleen: normal", ["Liver: normal", "Spleen: normal"], id="a line for each organ"),
        pytest.param(
            "No mass in the liver\n\nthe spleen is normal",
            ["No mass in the liver", "the spleen is normal"],
            id="blank line",
        ),
        pytest.param("Liver cyst.\r\nRenal stone.\r\n", ["Liver cyst.", "Renal stone."], id="Windows line ends"),
    ],
)
def test_lines_and_quotes(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_a_part_of_the_text_has_offsets_of_the_whole() -> None:
    text = "TECHNIQUE: thin slices. FINDINGS: Liver cyst. Renal stone. IMPRESSION: cyst"
    start, end = text.index("Liver"), text.index("IMPRESSION")
    spans = split_statements(text, start, end)
    assert [text[first:last] for first, last in spans] == ["Liver cyst.", "Renal stone."]
    assert spans[0].start == start


PIECES = (
    'The liver is normal|no mass|A 5 mm nodule|1.5 cm|12x9mm|e.g|Dr|vs|in the|mm.|No. 3|L4|?|.|\n|\r\n|\n\n|;|; |"| " |'
    "•|·|- |1. |2) |. |!|(a) |(|)| |,|5|_|…|é|nodül|½|²|\u0131|\u00a0|\x00|\U0001d7d3"
).split("|")
MESSY = st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=80)
BETWEEN = re.compile(r"(?:[^\w]|_|\(?\d{1,2}[.):]|\(?[A-Ha-h]\))*")


@settings(max_examples=400)
@example("1. 1. ")
@example("(a) b")
@given(MESSY)
def test_statements_are_in_order_and_only_marks_and_list_numbers_stand_between(text: str) -> None:
    at = 0
    for start, end in split_statements(text):
        assert at <= start < end <= len(text)
        assert BETWEEN.fullmatch(text[at:start]), f"lost {text[at:start]!r}"
        assert text[start:end] == text[start:end].strip()
        assert any(character.isalnum() for character in text[start:end])
        at = end
    assert BETWEEN.fullmatch(text[at:]), f"lost {text[at:]!r}"


@given(MESSY, MESSY, MESSY)
def test_what_stands_around_a_section_does_not_change_how_it_is_cut(before: str, section: str, after: str) -> None:
    whole = f"{before}\n{section}\nIMPRESSION: {after}"
    offset = len(before) + 1
    alone = [(start + offset, end + offset) for start, end in split_statements(section)]
    assert [tuple(span) for span in split_statements(whole, offset, offset + len(section))] == alone


@given(st.lists(st.sampled_from(["Liver cyst.", "No renal stone.", "The spleen is 14.5 cm long."]), max_size=8))
def test_full_sentences_on_a_line_are_found_one_by_one(sentences: list[str]) -> None:
    assert cut(" ".join(sentences)) == sentences
    assert cut("\n".join(sentences)) == sentences


@pytest.mark.parametrize(
    "piece",
    [
        "nodule ",
        ". ",
        "1. ",
        '" ',
        "\n",
        "(",
        "mm. ",
        '"',
        "5 mm, 1.5 x 2 cm ",
        "n",
        "a.",
    ],
)
def test_a_megabyte_without_a_sentence_end_is_cut_in_linear_time_and_nothing_is_lost(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    spans = split_statements(text)
    assert all(0 < end - start <= LONGEST_STATEMENT for start, end in spans)
    if piece != "1. ":
        kept = "".join(text[start:end] for start, end in spans)
        signs = set(filter(str.isalnum, piece))
        assert {sign: kept.count(sign) for sign in signs} == {sign: text.count(sign) for sign in signs}


def test_a_question_in_brackets_ends_nothing() -> None:
    text = "Mass (Implant? Metastasis?) In The Wall. (mass?) The liver is normal. Cyst? Yes (of the liver"
    assert [text[start:end] for start, end in split_statements(text)] == [
        "Mass (Implant? Metastasis?) In The Wall.",
        "(mass?)",
        "The liver is normal.",
        "Cyst?",
        "Yes (of the liver",
    ]
