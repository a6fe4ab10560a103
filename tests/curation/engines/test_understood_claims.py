"""Claims that rest on unknown words: no caption is made of them, and they are refused with these words."""

from __future__ import annotations

from functools import cache

import pytest

from curation.engines.rules import RulesEngine
from curation.extraction.text_engine import verify_drafts
from curation.report import Report
from curation.runtime.limits import ORGANS_OF_STATEMENT


@cache
def engine() -> RulesEngine:
    return RulesEngine()


def drafts(text: str) -> list[tuple[str, str, str]]:
    read = engine().verifier.read(text)
    return [(draft.organ, draft.caption, draft.not_understood) for draft in engine().all_drafts(read)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The spleen is glimmery.", [("spleen", "The spleen is glimmery", "“glimmery”")]),
        (
            "The liver is normal, the gallbladder wibbled.",
            [("liver", "The liver is normal", ""), ("gallbladder", "The gallbladder wibbled", "“wibbled”")],
        ),
        (
            "The spleen is glimmery but not enlarged.",
            [
                ("spleen", "Spleen: not enlarged", ""),
                ("spleen", "The spleen is glimmery but not enlarged", "“glimmery”"),
            ],
        ),
        ("No clot, aorta wobbled.", [("aorta", "No clot, aorta wobbled", "“wobbled”")]),
        (
            "The pancreas is normal with a wibble.",
            [("pancreas", "The pancreas is normal with a wibble", "“wibble”")],
        ),
        ("The pancreas is normal without a wibble.", [("pancreas", "The pancreas is normal without a wibble", "")]),
        ("A cyst in the liver, possibly ropy.", [("liver", "A cyst in the liver, possibly ropy", "")]),
        (
            "The uterus is normal. Lipase is normal.",
            [("uterus", "The uterus is normal", ""), ("uterus", "Uterus: lipase is normal", "“lipase”")],
        ),
        ("The spleen is similar.", [("spleen", "The spleen is similar", "“similar”")]),
    ],
)
def test_what_was_not_understood_is_apart(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert drafts(text) == expected


def test_it_is_refused_with_its_words() -> None:
    text = "The liver is normal. The spleen is glimmery."
    report = Report("r", text, (), {}, 1)
    outcome = verify_drafts(
        engine().verifier, report, engine().all_drafts(engine().verifier.read(text)), show_repeats=False
    )
    assert [row.organ for row in outcome.accepted] == ["liver"]
    [refusal] = outcome.refused
    assert (refusal.organ, refusal.reason, refusal.detail) == ("spleen", "not_understood", "not understood: “glimmery”")
    assert refusal.nearest == "The spleen is glimmery."


@pytest.mark.parametrize("between", [", ", " and ", " "])
def test_a_sentence_of_more_organs_than_any_has_is_told_as_not_understood(between: str) -> None:
    most = ORGANS_OF_STATEMENT.most
    names = ["liver", "spleen", "pancreas", "stomach", "aorta"] * most
    assert drafts(f"The {between.join(names[: most + 1])} are normal.")[0][0::2] == (
        "",
        f"{most + 1} organs in one sentence ({ORGANS_OF_STATEMENT.reason})",
    )
    assert {organ for organ, *_ in drafts(f"The {', '.join(names[:most])} are normal.")} == set(names)


@pytest.mark.parametrize(
    ("text", "organs"),
    [
        ("Normal heart size with no pericardial effusion.", {"heart", "pericardium"}),
        ("The heart is enlarged with a small pericardial effusion.", {"heart", "pericardium"}),
        ("Small pericardial effusion around the heart.", {"pericardium"}),
        ("Pericardial effusion with normal pericardial thickness.", {"pericardium"}),
    ],
)
def test_an_organ_stays_beside_what_it_encloses_where_something_is_said_of_it(text: str, organs: set[str]) -> None:
    assert {organ for organ, _, _ in drafts(text)} == organs


def test_drafts_are_only_of_what_was_understood() -> None:
    read = engine().verifier.read("The liver is normal. The spleen is glimmery.")
    assert [draft.organ for draft in engine().drafts(read)] == ["liver"]


@pytest.mark.parametrize(
    ("text", "is_understood"),
    [
        ("The bladder is normal. Frob is normal.", False),  # which may be another organ
        ("The bladder is normal. Frob cyst.", False),
        ("The bladder is normal. Frobular cyst.", True),
        ("The bladder is normal. A cyst of 5 mm.", True),
        ("The bladder is normal. The bladder has a frob cyst.", True),
    ],
)
def test_an_unknown_word_may_name_another_organ_where_none_is_named(text: str, is_understood: bool) -> None:
    read = engine().verifier.read(text)
    assert len(engine().drafts(read)) == (2 if is_understood else 1)
