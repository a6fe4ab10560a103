import json
import re

import pytest
from pydantic import JsonValue

from prompts.vocabulary import load_vocabulary
from train.data.layout_totalsegmentator import V1, V2
from train.data.structure_prompts import PromptBook, prompt_book, synonyms_of

BOOK = prompt_book(V2)
LOBES = [name for name in V2 if name.startswith("lung_")]


def groups(book: PromptBook) -> dict[str, set[str]]:
    return {group.name: set(group.members) for group in book.groups}


def test_the_name_comes_first_and_is_the_vocabularys() -> None:
    assert BOOK.names["kidney_left"] == "left kidney" and BOOK.names["lung_upper_lobe_left"] == "left upper lobe"
    assert BOOK.names.keys() == BOOK.trained.keys() == BOOK.held_out.keys() == set(V2)
    assert all(BOOK.trained[name][0] == prompt for name, prompt in BOOK.names.items())
    assert len(set(BOOK.names.values())) == len(V2)


@pytest.mark.parametrize("book", [BOOK, prompt_book(V1)])
def test_what_is_held_out_is_never_trained(book: PromptBook) -> None:
    trained = {prompt.lower() for prompts in book.trained.values() for prompt in prompts}
    held_out = {prompt.lower() for prompts in book.held_out.values() for prompt in prompts}
    merged = {prompt.lower() for prompts in book.group_prompts.values() for prompt in prompts}
    assert len(held_out) > 50 and not trained & held_out and not trained & merged
    assert not held_out & merged


def test_one_prompt_means_one_structure() -> None:
    owners: dict[str, set[str]] = {}
    for kind in (BOOK.trained, BOOK.held_out):
        for structure, prompts in kind.items():
            assert len(set(prompts)) == len(prompts)
            for prompt in prompts:
                owners.setdefault(prompt.lower(), set()).add(structure)
    assert {prompt: names for prompt, names in owners.items() if len(names) > 1} == {}


def test_a_synonym_is_held_out_wherever_there_are_two() -> None:
    for structure in V2:
        synonyms = len(synonyms_of(BOOK.names[structure], load_vocabulary()))
        assert len(BOOK.held_out[structure]) == (1 if synonyms == 2 else synonyms // 3)


def test_the_label_in_words_is_trained() -> None:
    assert "lung upper lobe left" in BOOK.trained["lung_upper_lobe_left"]
    # To the vocabulary, and to radiologists, that is a joint.
    assert "hip left" not in BOOK.trained["hip_left"]
    assert BOOK.trained["heart"].count("heart") == 1


def sideless(prompts: tuple[str, ...]) -> set[str]:
    return {re.sub(r"\b(left|right)\b", "this side's", prompt) for prompt in prompts}


def test_left_and_right_are_alike() -> None:
    pairs = [(name, name.replace("left", "right")) for name in V2 if "left" in name]
    pairs = [(left, right) for left, right in pairs if right in V2]
    assert len(pairs) > 30
    for left, right in pairs:
        # A synonym that is trained on one side is not what generalisation is tested with on the other.
        assert not sideless(BOOK.trained[left]) & sideless(BOOK.held_out[right]), left
        assert not sideless(BOOK.trained[right]) & sideless(BOOK.held_out[left]), left
    assert sideless(BOOK.trained["kidney_left"]) == sideless(BOOK.trained["kidney_right"])


def test_what_is_held_out_does_not_depend_on_the_other_structures() -> None:
    alone = prompt_book(["spleen"])
    assert alone.trained["spleen"] == BOOK.trained["spleen"] and alone.held_out["spleen"] == BOOK.held_out["spleen"]
    assert prompt_book(V2) == BOOK


def test_no_prompt_names_a_part_or_something_else() -> None:
    vocabulary = load_vocabulary()
    for structure, name in BOOK.names.items():
        for prompt in (*BOOK.trained[structure], *BOOK.held_out[structure]):
            assert vocabulary.resolve(prompt) in (name, None), prompt
    kinds = (BOOK.trained, BOOK.held_out, BOOK.group_prompts)
    every = " ".join(prompt for kind in kinds for each in kind.values() for prompt in each).lower()
    parts = "pole hilum tail caudate antrum fundus apex sinus bulb papilla spinous lamina pedicle calyx pelvis"
    assert not set(parts.split()) & set(re.findall("[a-z]+", every))


def test_groups_are_whole() -> None:
    found = groups(prompt_book([*LOBES, "kidney_left", "kidney_right", "vertebrae_L1", "vertebrae_L2", "vertebrae_L3"]))
    assert found["kidneys"] == {"kidney_left", "kidney_right"}
    assert found["lungs"] == set(LOBES) and len(LOBES) == 5
    assert not found.keys() & {"spine", "vertebrae", "lumbar vertebrae", "bones", "skeleton"}
    lumbar = [f"vertebrae_L{number}" for number in range(1, 6)]
    assert groups(prompt_book(lumbar))["lumbar vertebrae"] == set(lumbar)
    assert "kidneys" not in groups(prompt_book(["kidney_left", "liver"]))
    assert "lungs" not in groups(prompt_book(LOBES[:4]))


def test_a_group_is_no_structure_and_each_has_its_name_first() -> None:
    members = [frozenset(names) for names in groups(BOOK).values()]
    assert len(set(members)) == len(members) and all(len(names) > 1 for names in members)
    assert not groups(BOOK).keys() & set(BOOK.names.values())
    assert all(prompts[0] == name for name, prompts in BOOK.group_prompts.items())
    assert BOOK.group_prompts.keys() == groups(BOOK).keys()
    whole = prompt_book(["kidney_left", "kidney_right", "kidneys"])
    assert "kidneys" not in groups(whole) and whole.names["kidneys"] == "kidneys"


def test_a_label_that_nobody_knows_is_asked_for_as_it_is() -> None:
    book = prompt_book(["weird_thing_7", "liver"])
    assert book.names["weird_thing_7"] == "weird thing 7"
    assert book.trained["weird_thing_7"] == ("weird thing 7",) and book.held_out["weird_thing_7"] == ()
    assert book.groups == ()


def test_it_goes_through_json() -> None:
    assert PromptBook.from_json(json.loads(json.dumps(BOOK.to_json()))) == BOOK
    whole = BOOK.to_json()
    records: list[dict[str, JsonValue]] = [{}, {"names": []}, {"names": {"a": "b"}}, {**whole, "groups": None}]
    for broken in records:
        with pytest.raises(ValueError, match="record of prompts"):
            PromptBook.from_json(broken)
