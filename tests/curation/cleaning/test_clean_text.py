"""The clean text, and the way back: offsets of the clean text are those of the text as it was given."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.cleaning.clean_text import clean_sentence, clean_text
from curation.cleaning.edits import Edit, apply_edits

PIECES = [
    "The liver is enlarged", "Liver", " ", "  ", ". ", ".\n", "\r\n", "\r", "\n\n", "\t", "(3:44)",
    " (series 3, image 44)", "<br>", "<p>", "</p>", "&nbsp;", "&lt;", "_x000D_", "\\n", "\\.br\\", "~", "**", "# ",
    "XXXX", "[**Name**]", "___", "\u00a0", "\u200b",
    "\ufb01", "\uff2c", "•", "1. ", "- ", "5 mm", "MASS", ":", "on image 4", "`", "\x00", "é",
]  # fmt: skip

WORDS = [
    "Liver",
    "large,",
    "5.5",
    "mm",
    "No",
    "I",
    "have",
    "reviewed",
    "the",
    "images",
    "on",
    "series",
    "3",
    "xxx",
    "1.",
    "2.",
    "was",
    "told",
]


@pytest.mark.parametrize(
    ("given_text", "clean"),
    [
        ("The spleen is large.\r\nThe liver is not.", "The spleen is large.\nThe liver is not."),
        ("A cyst\u00a0of 4\u2009mm in the kid\u00adney.", "A cyst of 4 mm in the kidney."),
        ("\uff32\uff29\uff27\uff28\uff34 kidney: 4\u3000\u339c", "RIGHT kidney: 4 mm"),
        ("Fluid is seen,   but  no gas .", "Fluid is seen, but no gas."),
        ("the cyst;\u201csimple\u201d\u2028Next line", "the cyst;\u201csimple\u201d\nNext line"),
        ("", ""),
        ("Nothing to be changed: 5 mm (new).", "Nothing to be changed: 5 mm (new)."),
    ],
)
def test_characters_and_white_space(given_text: str, clean: str) -> None:
    assert clean_text(given_text).text == clean


def test_removals_are_named_with_their_place() -> None:
    source = "<b>Cyst</b> of the spleen (3:44).\r\nSeen by Dr. [NAME] today."
    removals = clean_text(source).removals()
    assert [(removal.kind, source[removal.start : removal.end]) for removal in removals] == [
        ("markup", "<b>"),
        ("markup", "</b>"),
        ("line end", "\r\n"),
        ("identity", "[NAME]"),
        ("white space", " [NAME] "),
        ("image reference", " (3:44)"),
    ]


def test_offsets_of_a_sentence_behind_many_changes() -> None:
    source = (
        "<p>FINDINGS:</p>~The  liver (3:44) is\u00a0large~A 4&nbsp;mm cyst [se 2, im 5] in the spl\u00ad\u00adeen.~"
    )
    clean = clean_text(source)
    start = clean.text.index("A 4 mm")
    first, last = clean.source_span(start, clean.text.index("spleen.") + 7)
    assert source[first:last] == "A 4&nbsp;mm cyst [se 2, im 5] in the spl\u00ad\u00adeen."
    assert clean.text[slice(*clean.clean_span(first, last))] == "A 4 mm cyst in the spleen."


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=60))
def test_every_passage_has_its_place(source: str) -> None:
    clean = clean_text(source)
    spans = [clean.source_span(place, place + 1) for place in range(len(clean.text))]
    assert all(0 <= start <= end <= len(source) for start, end in spans)
    assert [start for start, _ in spans] == sorted(start for start, _ in spans)
    places = [clean.clean_span(place, place)[0] for place in range(len(source) + 1)]
    assert places == sorted(places)
    assert places[-1] == len(clean.text) or not clean.text
    unchanged = [clean.text[place] == source[start:end] for place, (start, end) in enumerate(spans)]
    assert all(unchanged) or clean.layers


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from([*PIECES, *WORDS]), max_size=8).map(" ".join))
def test_a_sentence_is_cleaned_as_a_text_is(source: str) -> None:
    assert clean_sentence(source) == clean_text(source).text


@settings(deadline=None, max_examples=100)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_cleaning_twice_changes_nothing_more_of_words(source: str) -> None:
    once = clean_text(source).text
    assert clean_text(once).text.split() == once.split() or any(sign in once for sign in "&<\\~*_#`(")


def test_edits_that_overlap_are_made_once() -> None:
    edited = apply_edits("abcdef", [Edit(1, 4, "X", "a"), Edit(2, 5, "Y", "b"), Edit(5, 6, "", "c")])
    assert edited is not None
    assert (edited.text, [edit.kind for edit in edited.edits]) == ("aXe", ["a", "c"])
    assert [(edited.original_start(place), edited.original_end(place + 1)) for place in range(3)] == [
        (0, 1),
        (1, 4),
        (4, 5),
    ]


def test_no_change_is_no_layer() -> None:
    assert apply_edits("abc", [Edit(0, 1, "a", "same")]) is None
    assert clean_text("The liver is normal.").layers == ()


@pytest.mark.parametrize("unit", ["(", "*", "~", "(series 3 ", "Dr. ", "findings ", "3:", "<p>", " \n", "\\", "[**"])
def test_the_work_grows_with_the_text(unit: str) -> None:
    """A pattern that starts again at every character would take minutes here."""
    clean = clean_text(unit * (30_000 // len(unit)))
    assert len(clean.text) <= 30_000 * 2
