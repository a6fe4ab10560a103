"""A site's own organs beside the shipped ones: what they add, and each way in which they cannot stand beside them."""

from __future__ import annotations

import pytest

from prompts.entries import VocabularyError
from prompts.site_organs import added_names, extend_vocabulary
from prompts.vocabulary import load_vocabulary

ORGANS = b"""
liver:
  terms: [hepar, (big|brown) gland]
  adjectives: [jecoral]
graft kidney: {parents: [kidneys], terms: [renal allograft], part_of: kidneys}
fabellae: {parents: [skeleton], sides: [left fabella, right fabella], terms: [fabella]}
"""


def test_names_are_added_and_organs_are_new() -> None:
    vocabulary = extend_vocabulary(ORGANS, "organs.yaml")
    named = {
        text: vocabulary.resolve(text) for text in ("hepar", "brown gland", "liver", "renal allograft", "LT fabella")
    }
    assert list(named.values()) == ["liver", "liver", "liver", "graft kidney", "left fabella"]
    assert vocabulary.find("A jecoral cyst")[0].adjective
    assert "kidneys" in vocabulary.ancestors("graft kidney") and vocabulary.filed_under("graft kidney") == "kidneys"
    assert vocabulary.sided("fabellae") == ("left fabella", "right fabella")
    assert vocabulary.organs.keys() - load_vocabulary().organs.keys() == {
        "graft kidney", "fabellae", "left fabella", "right fabella",
    }  # fmt: skip


def test_a_site_may_name_parts_of_an_organ() -> None:
    source = b"""
mandible: {narrower: [gonion], related: [gnathic fascia]}
hands: {narrower_from: {carpal bones: [half of $]}}
"""
    vocabulary = extend_vocabulary(source, "organs.yaml")
    nouns = ("gonion", "gnathic fascia", "half of the carpus", "mandible")
    assert [vocabulary.relation_of(noun) for noun in nouns] == ["narrower", "related", "narrower", None]
    assert vocabulary.resolve("gonion") == "mandible" and "gonion" not in vocabulary.organs["mandible"].terms


def test_the_shipped_vocabulary_stays_as_it_is() -> None:
    extend_vocabulary(ORGANS, "organs.yaml")
    assert load_vocabulary().resolve("hepar") is None


def test_the_added_names_are_written_out() -> None:
    assert [text for name, text in added_names(ORGANS) if name == "liver"] == [
        "liver", "hepar", "big gland", "brown gland", "jecoral",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("liver: {parents: [abdomen]}", "line 1: liver: 'parents' of an organ that ships with ovct stays as it is"),
        ("\nspleen: {terms: [hepatic]}", "line 2: spleen: 'hepatic' is a name of 'liver' already"),
        ("hepatic: {terms: [x]}", "hepatic: is a name of 'liver' already; write the entry 'liver'"),
        ("new: {terms: [left sided kidney]}", "new: 'left sided kidney' is a name of 'left kidney' already"),
        (
            "new: {terms: [(outer|soft) tissue density]}",
            "'soft tissue density' is kept apart as a phrase",
        ),
        ("new: {terms: [+kidney]}", "new: 'kidney' is a name of 'kidneys' already"),
        ("new: {parents: [abdomn]}", "new: unknown entry 'abdomn'; did you mean 'abdomen'?"),
        ("new: {part_of: livr}", "new: unknown entry 'livr'; did you mean 'liver'?"),
        ("a: {parents: [b]}\nb: {parents: [a]}", "line 1: a: is its own ancestor (a > b > a)"),
        ("a: {sides: [left a, left kidney]}", "'left kidney' must have side: right and the parent 'a'"),
        ("a: {terms: [b]}\nc: {terms: [b]}", "line 2: c: 'b' is also a term of 'a'"),
        ("liver: {terms: []}", "liver: 'terms' is empty; leave it out"),
        ("liver: {}", "liver: adds nothing"),
        ("{}", "file: adds no organ"),
        ("liver: {term: [hepar]}", "liver: 'term' is not a key here; did you mean “terms”?"),
        ("liver: {terms: hepar}", "liver, terms: 'hepar' is not a list"),
        ("liver: {terms: [", "is not YAML"),
        ("a: {}\na: {}", "line 1: a: stands 2 times"),
        ("new: {totalsegmentator: [liver]}", "'liver' also stands in 'liver'"),
    ],
)
def test_what_cannot_stand_beside_ours_is_named_with_its_line(content: str, problem: str) -> None:
    with pytest.raises(VocabularyError) as raised:
        extend_vocabulary(content.encode(), "organs.yaml")
    assert str(raised.value).startswith("organs.yaml")
    assert problem in str(raised.value)
