"""What one statement says: how each of its words is meant, and its division into segments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.language.assertion import Polarity
from curation.language.mentions import OrganMention
from curation.language.parsed_statement import ParsedStatement
from curation.language.parser import StatementParser
from curation.language.tokens import Token


@cache
def parser() -> StatementParser:
    return StatementParser()


def parse(text: str) -> ParsedStatement:
    return parser().parse(text)


def polarity_of(sentence: str, words: str) -> Polarity:
    """How the term that holds ``words`` is meant."""
    statement = parse(sentence)
    start = sentence.index(words)
    for term in statement.terms:
        first, last = statement.tokens[term.start].start, statement.tokens[term.end - 1].end
        if first <= start < last:
            return term.polarity
    raise AssertionError(f"nothing of {sentence!r} holds {words!r}")


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("There is a cyst but no mass in the liver.", {"cyst": Polarity.AFFIRMED, "mass": Polarity.NEGATED}),
        ("No cyst but a mass in the liver.", {"cyst": Polarity.NEGATED, "mass": Polarity.AFFIRMED}),
        (
            "Pleural effusion-thickening was not observed.",
            {"effusion": Polarity.NEGATED, "thickening": Polarity.NEGATED},
        ),
        (
            "A nodule in the right lung, possibly malignant.",
            {"nodule": Polarity.AFFIRMED, "malignant": Polarity.UNCERTAIN},
        ),
        ("No change in the nodule of the right lung.", {"nodule": Polarity.AFFIRMED}),
        (
            "A nodule of the lung, consistent with metastasis.",
            {"nodule": Polarity.AFFIRMED, "metastasis": Polarity.ATTRIBUTED},
        ),
        (
            "The spleen is normal, and no mass or cyst is seen.",
            {"normal": Polarity.AFFIRMED, "mass": Polarity.NEGATED, "cyst": Polarity.NEGATED},
        ),
        (
            "The liver is enlarged, the spleen is not enlarged.",
            {"liver": Polarity.AFFIRMED, "enlarged, the": Polarity.AFFIRMED, "enlarged.": Polarity.NEGATED},
        ),
    ],
)
def test_each_word_is_meant_in_its_own_way(sentence: str, expected: dict[str, Polarity]) -> None:
    assert {words: polarity_of(sentence, words) for words in expected} == expected


def sizes(segment_of: str, sentence: str) -> list[tuple[float, ...]]:
    """Sizes in the segment that names ``segment_of``."""
    for segment in parse(sentence).segments:
        names = {name for term in segment.organs if term.mention for name in term.mention.names}
        if segment_of in names:
            return [term.measure.values for term in segment.terms if term.measure]
    raise AssertionError(f"no segment names {segment_of}")


def test_each_segment_keeps_its_own_size_and_place() -> None:
    sentence = "A 5 mm nodule in the right upper lobe and a 3 mm nodule in the left lower lobe."
    assert sizes("right upper lobe", sentence) == [(5,)]
    assert sizes("left lower lobe", sentence) == [(3,)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Ground-glass and tree-in-bud opacities.",
        "A 12 x 9 mm cyst of the liver.",
        "Soft tissue mass of the left thyroid lobe.",
        "The aorta has a normal course and caliber.",
    ],
)
def test_names_and_sizes_are_not_cut(sentence: str) -> None:
    statement = parse(sentence)
    breaks = {index for segment in statement.segments for index in (segment.start - 1, segment.end)}
    for term in statement.terms:
        assert not breaks & set(range(term.start, term.end))


def flags(sentence: str) -> set[str]:
    """Flags of the phrases of the lexicon in a sentence."""
    return {flag for match in parse(sentence).matches for flag in match.entry.flags}


@pytest.mark.parametrize(
    ("sentence", "flag"),
    [
        ("The liver could not be evaluated.", "limitation"),
        ("Ultrasound is recommended.", "recommendation"),
        ("No nodule except for a cyst.", "exception"),
    ],
)
def test_flags_of_the_lexicon(sentence: str, flag: str) -> None:
    assert flag in flags(sentence)
    assert flag not in flags("There is a cyst in the liver.")


def test_what_is_read_again_is_not_worked_out_again() -> None:
    assert parse("The liver is large.") is parse("The liver is large.")


def content(statement: ParsedStatement) -> list[tuple[str, str, Polarity]]:
    return [(term.kind, term.key, term.polarity) for term in statement.terms]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Cyst in the liver.", "cyst in the liver"),
        ("CYST IN THE LIVER", "Cyst in the liver."),
        ("Haemorrhage of the liver", "Hemorrhage of the liver"),
        ("A cyst of 5 mm", "A cyst of 5mm"),
        ("Slight oedema", "Mild edema"),
        ("Calculus in the left kidney", "Stone in the left kidney"),
        ("RUL nodule", "Right upper lobe nodule"),
    ],
)
def test_spelling_case_and_synonyms_change_nothing(first: str, second: str) -> None:
    assert content(parse(first)) == content(parse(second))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Cyst in the liver.", "No cyst in the liver."),
        ("Cyst in the liver.", "Possible cyst in the liver."),
        ("Left renal cyst.", "Right renal cyst."),
        ("Mild edema.", "Severe edema."),
        ("Cyst.", "Mass."),
        ("New cyst.", "Old cyst."),
    ],
)
def test_what_differs_in_meaning_differs(first: str, second: str) -> None:
    assert content(parse(first)) != content(parse(second))


WORDS = st.sampled_from(
    (
        "liver left right kidney both lungs no not without cyst 5 mm x - to was is seen observed and or , . ; : ? "
        "( ) but except "
        "normal mild possible previously new L4 level lymph nodes hila lobe of the in cannot be excluded nor "
        "either versus \\x00"
    ).split()
)


@given(st.lists(WORDS, max_size=25).map(" ".join) | st.text(max_size=60))
def test_any_text_is_parsed_into_items_and_segments_in_order(text: str) -> None:
    statement = parse(text)
    count, at = len(statement.tokens), 0
    for segment in statement.segments:
        assert at <= segment.start < segment.end <= count
        at = segment.end
        assert all(segment.start <= term.start < segment.end for term in segment.terms)
    starts = [term.start for term in statement.terms]
    assert starts == sorted(starts)
    assert all(0 <= term.start < term.end <= count for term in statement.terms)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Right leg: the femoral and popliteal arteries are patent.", ("right",)),
        ("In the left hemithorax, healed fractures of the 4th and 5th ribs.", ("left",)),
        ("Left hemithorax: fractures of the ribs.", ("left",)),
        ("Left hemithorax: fractures of the right 3rd and 4th ribs.", ("right",)),
        ("Left hemithorax: the kidneys are normal.", ("left", "right")),  # they lie elsewhere
        ("Both hemithoraces: fractures of the ribs.", ("left", "right")),
        ("In the chest, the ribs are intact.", ("left", "right")),
    ],
)
def test_a_region_that_opens_a_statement_gives_its_side_to_pairs_in_it(
    sentence: str, expected: tuple[str, ...]
) -> None:
    statement = parse(sentence)
    organs = statement.segments[-1].organs
    assert {name.split()[0] for term in organs if term.mention for name in term.mention.names} == {*expected}


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("On the right, the kidney is small.", {"right"}),
        ("Left: the kidney is small.", {"left"}),
        ("Left side: the kidneys are small.", {"left"}),
        ("Left ear: the mastoid air cells are clear.", {"left"}),
        ("On the right side of the chest, the ribs are fractured.", {"right"}),
        ("On the left, both kidneys are small.", {"left", "right"}),
        ("On the left, the right kidney is small.", {"right"}),
        ("In the left kidney, the ureters are wide.", {"left", "right"}),
    ],
)
def test_a_side_that_opens_a_statement_is_that_of_its_pairs(sentence: str, expected: set[str]) -> None:
    organs = parse(sentence).segments[-1].organs
    assert {name.split()[0] for term in organs if term.mention for name in term.mention.names} == expected


def test_what_lies_in_regions_of_both_sides_is_on_both() -> None:
    organs = parse("Pleural effusion in the right and left hemithorax.").terms
    names = {name for term in organs if term.mention for name in term.mention.names}
    assert {"left pleura", "right pleura"} <= names


@pytest.mark.parametrize(
    "text",
    [
        "No cyst but a mass in the liver",
        "Except for a 5 mm cyst in segment 4, the liver is normal",
        "Compared to the prior CT of 2018, the nodule is larger than before",
        "LUNGS: (Unchanged) nodule, 3 x 4 mm in the RUL",
        "The spleen is normal, unlike the T2",
        "When both lung parenchyma windows are evaluated",
        "In the lung window",
    ],
)
def test_a_full_stop_at_the_end_is_read_as_in_the_whole_text(text: str) -> None:
    whole, derived = StatementParser()._parse(f"{text}."), StatementParser().parse(f"{text}.")
    for part in ("text", "tokens", "stems", "words", "matches"):
        assert getattr(derived, part) == getattr(whole, part)
    assert repr((derived.terms, derived.segments)) == repr((whole.terms, whole.segments))


def test_a_statement_and_its_caption_without_the_full_stop_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    reader = StatementParser()
    find = reader.organ_finder.find

    def noted(text: str, tokens: Sequence[Token]) -> list[OrganMention]:
        read.append(text)
        return find(text, tokens)

    monkeypatch.setattr(reader.organ_finder, "find", noted)
    stopped = reader.parse("The liver is normal.")
    assert reader.parse("The liver is normal.") is stopped
    assert reader.parse("The liver is normal").terms is stopped.terms
    assert read == ["The liver is normal"]
