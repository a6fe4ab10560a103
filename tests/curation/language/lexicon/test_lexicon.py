"""The lexicon as it is loaded: phrases by their stems, the longest first, synonyms under one key."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from curation.language.lexicon.lexicon import Lexicon, load_lexicon
from curation.language.lexicon.lexicon_file import LexiconFile
from curation.language.tokens import tokenize


def content(**changes: Any) -> dict[str, Any]:
    """A small lexicon file."""
    cues: dict[str, list[str]] = {"before": [], "after": []}
    return {
        "synonyms": [["calculus", "stone"], ["fatty liver", "hepatic steatosis"]],
        "irregular": {"foci": "focus"},
        "numbers": {"three": 3},
        "severity": {"mild": ["mild", "slight"], "severe": ["severe", "marked"]},
        "size": {"small": ["small"]},
        "extent": {},
        "quantity": {},
        "density": {},
        "morphology": {},
        "time": {"new": ["new", "newly developed"]},
        "hedges": {"uncertain": {"before": ["possible"], "after": ["is possible"]}, "attributive": cues},
        "negations": {"before": ["no", "no evidence of"], "after": ["was not seen"]},
        "pseudo_negations": ["no change"],
        "scope_ends": ["but"],
        "normality": ["normal", "within normal limits"],
        "absent_organ": {"cholecystectomy": "gallbladder"},
        "implied_organ": {"ascites": "peritoneum"},
        "reporting": ["is seen"],
        "limitation": ["could not be evaluated"],
        "recommendation": ["is recommended"],
        "history": ["history of"],
        "exceptions": ["except for"],
        "attributes": ["contour"],
        "findings": ["cyst"],
        "kinds": {"lesion": ["cyst", "calculus"], "abnormality": ["lesion"]},
        "not_kinds": ["milk cyst"],
        "joint_findings": {"calculocyst": ["calculus", "cyst"]},
        "denied_words": {"cyst": ["uncysted"]},
        "aspects": {
            "size": {"words": ["size", "dimension"], "departures": ["giant cyst"]},
            "wall": {"words": ["wall"]},
        },
    } | changes


def lexicon(**changes: Any) -> Lexicon:
    return Lexicon(LexiconFile.model_validate(content(**changes)))


def keys(lexicon: Lexicon, text: str) -> list[str]:
    return [match.entry.key for match in lexicon.matches(lexicon.stems(text))]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("stone", "calculus"),
        ("stones", "stone"),
        ("hepatic steatosis", "fatty liver"),
        ("mild", "slight"),
        ("slightly", "mild"),
        ("newly developed", "new"),
        ("foci", "focus"),
        ("marked", "severe"),
    ],
)
def test_phrases_of_one_meaning_share_a_key(first: str, second: str) -> None:
    small = lexicon(synonyms=[*content()["synonyms"], ["focus", "spot"]])
    assert keys(small, first) == keys(small, second) != []


@pytest.mark.parametrize(("first", "second"), [("mild", "severe"), ("stone", "fatty liver"), ("new", "small")])
def test_phrases_of_different_meaning_do_not(first: str, second: str) -> None:
    assert keys(lexicon(), first) != keys(lexicon(), second)


def test_a_number_word_is_its_digits() -> None:
    assert lexicon().stems("three stones") == lexicon().stems("3 stones")


def test_the_longest_phrase_is_taken() -> None:
    small = lexicon()
    stems = small.stems("no evidence of stone")
    first, second = small.matches(stems)
    assert (first.start, first.end, first.entry.negation) == (0, 3, "before")
    assert (second.start, second.end) == (3, 4)


def test_matches_do_not_overlap_and_lie_in_order() -> None:
    stems = lexicon().stems("no change but a new mild stone was not seen")
    at = 0
    for match in lexicon().matches(stems):
        assert at <= match.start < match.end <= len(stems)
        at = match.end


@pytest.mark.parametrize(
    ("phrase", "flag"),
    [
        ("no change", "pseudo_negation"),
        ("but", "scope_end"),
        ("within normal limits", "normality"),
        ("is seen", "reporting"),
        ("could not be evaluated", "limitation"),
        ("is recommended", "recommendation"),
        ("history of", "history"),
        ("except for", "exception"),
        ("contour", "attribute"),
    ],
)
def test_a_phrase_has_the_flag_of_its_list(phrase: str, flag: str) -> None:
    small = lexicon()
    (match,) = small.matches(small.stems(phrase))
    assert flag in match.entry.flags


def test_cues_have_a_direction() -> None:
    small = lexicon()
    entries = {
        phrase: small.matches(small.stems(phrase))[0].entry
        for phrase in ("no", "was not seen", "possible", "is possible")
    }
    assert (entries["no"].negation, entries["was not seen"].negation) == ("before", "after")
    assert (entries["possible"].hedge, entries["is possible"].hedge) == ("before", "after")
    assert [entry.strength for entry in entries.values()] == [None, None, "uncertain", "uncertain"]


def test_synonyms_share_their_organ() -> None:
    small = lexicon(synonyms=[["ascites", "abdominal free fluid"]])
    assert {small.matches(small.stems(phrase))[0].entry.organ for phrase in ("ascites", "abdominal free fluid")} == {
        "peritoneum"
    }


HEDGES = {
    "uncertain": {"before": ["{unable} exclude", "suspicious for"], "after": ["{be} possible"]},
    "probable": {"before": ["likely"], "after": ["{be} likely"]},
}
CUE_WORDS = {"unable": ["cannot", "unable to"], "be": ["is", "remains"]}


@pytest.mark.parametrize(
    ("text", "start", "end", "strength"),
    [
        ("cannot exclude stone", 0, 2, "uncertain"),
        ("unable to exclude stone", 0, 3, "uncertain"),
        ("cannot entirely exclude stone", 0, 3, "uncertain"),
        ("stone remains possible", 1, 3, "uncertain"),
        ("stone is also likely", 1, 4, "probable"),
        ("clinically suspicious for stone", 1, 3, "uncertain"),
    ],
)
def test_a_hedge_is_spelled_out_and_adverbs_may_stand_inside(text: str, start: int, end: int, strength: str) -> None:
    small = lexicon(hedges=HEDGES, cue_words=CUE_WORDS, recommendation=["clinically suspicious"])
    matches = [match for match in small.matches(small.stems(text)) if match.entry.hedge]
    assert [(match.start, match.end, match.entry.strength) for match in matches] == [(start, end, strength)]


def test_an_adverb_inside_any_other_phrase_parts_it() -> None:
    assert "no evidence of" not in keys(lexicon(), "no convincing evidence of stone")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"hedges": HEDGES, "cue_words": {"be": ["is"]}}, id="a name in braces that is not listed"),
        pytest.param({"surprise": []}, id="an unknown list"),
        pytest.param({"synonyms": ["stone"]}, id="a group that is no list"),
        pytest.param({"negations": {"before": []}}, id="a direction left out"),
        pytest.param({"negations": {"before": [], "after": [], "around": []}}, id="an unknown direction"),
        pytest.param({"hedges": {"certain": {"before": [], "after": []}}}, id="an unknown strength"),
        pytest.param({"numbers": {"three": "several"}}, id="a number that is none"),
        pytest.param({"severity": {"mild": "slight"}}, id="a class that is no list"),
        pytest.param({"normality": [["normal"]]}, id="a phrase that is a list"),
    ],
)
def test_a_wrong_file_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=list(changes)[-1]):
        LexiconFile.model_validate(content(**changes))


def test_a_missing_list_is_refused() -> None:
    short = content()
    del short["exceptions"]
    with pytest.raises(ValidationError, match="exceptions"):
        LexiconFile.model_validate(short)


def test_the_shipped_lexicon_is_loaded_once() -> None:
    assert load_lexicon() is load_lexicon()


@given(st.text(max_size=60))
def test_any_text_can_be_matched(text: str) -> None:
    shipped = load_lexicon()
    stems = shipped.stems(text)
    at = 0
    for match in shipped.matches(stems):
        assert at <= match.start < match.end <= len(stems)
        at = match.end


def kinds(lexicon: Lexicon, phrase: str) -> frozenset[str]:
    (match,) = lexicon.matches(lexicon.stems(phrase))
    return match.entry.kinds


def test_a_kind_of_a_kind_is_a_kind_of_both() -> None:
    assert kinds(lexicon(), "cyst") == {"lesion", "abnorm"}
    assert kinds(lexicon(), "stone") == {"lesion", "abnorm"}, "a synonym is of the same kinds"
    assert kinds(lexicon(), "lesion") == {"abnorm"}
    assert kinds(lexicon(), "fatty liver") == frozenset()


@pytest.mark.parametrize(
    ("phrase", "is_cyst"), [("chest cyst", True), ("cyst of the chest", False), ("milk cyst", False)]
)
def test_a_compound_is_a_kind_of_its_last_word(phrase: str, is_cyst: bool) -> None:
    small = lexicon(synonyms=[[phrase, "cystoid"], ["calculus", "stone"]])
    assert ("cyst" in kinds(small, phrase)) is is_cyst
    assert ("cyst" in kinds(small, "cystoid")) is is_cyst


def test_kinds_in_a_circle_are_refused() -> None:
    with pytest.raises(ValueError, match="in a circle: cyst → lesion → cyst"):
        lexicon(kinds={"lesion": ["cyst"], "cyst": ["lesion"]})


def test_a_word_for_two_findings_has_both() -> None:
    (match,) = lexicon().matches(["calculocyst"])
    assert match.entry.joint == ("calculus", "cyst")


def test_a_word_may_deny_a_finding_by_itself() -> None:
    (match,) = lexicon().matches(["uncyst"])
    assert match.entry.key == "cyst"
    assert match.entry.denied


def test_words_of_an_aspect_name_it_and_departures_stand_by_its_name() -> None:
    small = lexicon()
    assert [match.entry.aspect for match in small.matches(small.stems("size dimensions wall stone"))] == [
        "size",
        "size",
        "wall",
        None,
    ]
    assert small.departures == {"size": {"giant cyst"}, "wall": frozenset()}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonmild stone", ["non", "mild", "stone"]),
        ("noncalculous stone", ["noncalculous", "stone"]),
        ("none of the stones", ["none", "of", "the", "stones"]),
    ],
)
def test_non_stands_apart_from_a_word_that_is_listed(text: str, words: list[str]) -> None:
    assert [token.word for token in lexicon().with_prefixes_apart(tokenize(text))] == words


def test_its_words_are_those_of_all_phrases() -> None:
    assert {"cyst", "fatti", "liver", "dimens", "uncyst"} <= lexicon().words
