"""Words that are learned and words that are held out."""

import re

import pytest

from prompts.vocabulary import load_vocabulary
from train.words.word_lists import WordLists, choose_words, scored_prompts

VOCABULARY = load_vocabulary()
HELD = choose_words(VOCABULARY, "all")
PROMPTS = scored_prompts(VOCABULARY)


def learned(words: WordLists) -> set[str]:
    return {term.lower() for terms in words.terms.values() for term in terms}


def sideless(term: str) -> str:
    return " ".join(word for word in re.findall(r"[a-z0-9]+", term.lower()) if word not in ("left", "right"))


@pytest.mark.parametrize("book", PROMPTS)
def test_what_stage_3_holds_out_is_not_learned_and_what_it_trains_is(book: object) -> None:
    prompts = PROMPTS[0] if book is PROMPTS[0] else PROMPTS[1]
    kinds = (prompts.held_out, prompts.group_prompts)
    held_out = {prompt.lower() for kind in kinds for listed in kind.values() for prompt in listed}
    assert len(held_out) > 200 and not held_out & learned(HELD)
    for structure, name in prompts.names.items():
        assert set(prompts.trained[structure]) <= set(HELD.terms[name])


def test_a_held_out_word_is_not_learned_with_another_side_either() -> None:
    synonyms = {sideless(prompt) for listed in PROMPTS[0].held_out.values() for prompt in listed}
    trained = {prompt for book in PROMPTS for listed in book.trained.values() for prompt in listed}
    assert not synonyms & {sideless(term) for term in learned(HELD) - {prompt.lower() for prompt in trained}}


def test_synonyms_of_organs_that_no_class_is_of_are_held_out_too() -> None:
    everything = choose_words(VOCABULARY, "none")
    assert set(HELD.terms["parotid glands"]) < set(everything.terms["parotid glands"])
    assert everything.held_out == 0 and HELD.held_out > 1_000
    assert "kidneys" in everything.terms and "kidneys" not in HELD.terms
    assert HELD.digest() != everything.digest() == choose_words(VOCABULARY, "none").digest()


def test_a_part_is_no_word_of_its_organ() -> None:
    for name, terms in choose_words(VOCABULARY, "none").terms.items():
        organ = VOCABULARY.organs[name]
        assert not {*terms} & ({*organ.narrower, *organ.broader, *organ.related} - {*organ.terms}), name


def test_a_group_has_members_that_are_learned_and_are_no_groups() -> None:
    assert HELD.groups["seminal vesicles"] == ("left seminal vesicle", "right seminal vesicle")
    assert "spine" not in HELD.groups and "heart" not in HELD.groups and "upper abdomen" not in HELD.groups
    for name, members in HELD.groups.items():
        assert {name, *members} <= HELD.terms.keys() and len(members) > 1
        assert all(VOCABULARY.related(name, member) for member in members)


def test_kin_and_the_other_side() -> None:
    assert HELD.other_side["left kidney"] == "right kidney" and "liver" not in HELD.other_side
    assert {"L1 vertebra", "L3 vertebra"} <= {*HELD.kin["L2 vertebra"]} and "L2 vertebra" not in HELD.kin["L2 vertebra"]
    assert "left kidney" in HELD.prompted
