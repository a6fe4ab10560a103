"""Which structures share words: by names alone, whatever they are called together."""

from collections.abc import Mapping

from models.known_words import MOST_MEMBERS
from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.data.structure_prompts import build_structure_prompts
from train.prompting.like_named_structures import find_like_named


def sets_of(trained: Mapping[str, tuple[str, ...]]) -> set[frozenset[str]]:
    names = {structure: prompts[0] for structure, prompts in trained.items()}
    return {frozenset(having) for having in find_like_named(names, trained)}


def test_structures_that_share_a_word_are_alike_and_those_that_share_two_too() -> None:
    trained = {
        "ul": ("upper lobe of the left lung", "LUL"),
        "ll": ("lower lobe of the left lung",),
        "ur": ("upper lobe of the right lung",),
        "liver": ("liver",),
    }
    assert sets_of(trained) == {frozenset({"ul", "ll", "ur"}), frozenset({"ul", "ll"}), frozenset({"ul", "ur"})}


def test_what_they_share_must_say_what_they_are() -> None:
    # A side, a place, a number, a word shorter than three letters.
    assert not sets_of({"a": ("left kidney",), "b": ("left femur",)})
    assert not sets_of({"a": ("inferior vena cava",), "b": ("inferior lobe",)})
    assert not sets_of({"a": ("first rib",), "b": ("first molar",)})
    assert not sets_of({"a": ("rib 7",), "b": ("C 7",)})
    assert not sets_of({"a": ("body of it",), "b": ("horn of it",)})
    assert not sets_of({"a": ("common carotid artery",), "b": ("common bile duct",)})
    assert not sets_of({"a": ("internal carotid artery",), "b": ("internal jugular vein",)})
    # Parenchyma is no name of theirs.
    assert not sets_of({"a": ("kidney", "renal parenchyma"), "b": ("spleen", "splenic parenchyma")})


def test_a_lesion_is_not_put_together_with_the_organ_that_it_lies_in() -> None:
    kidneys = {side: (f"{side} kidney",) for side in ("left", "right")}
    cysts = {f"cyst {side}": (f"{side} kidney cyst",) for side in ("left", "right")}
    assert sets_of(kidneys | cysts) == {frozenset(kidneys), frozenset(cysts)}
    assert sets_of(kidneys | {"tumor": ("kidney tumor",)}) == {frozenset(kidneys)}
    assert not sets_of({"both": ("kidney",), "left": ("left kidney",)})
    assert not sets_of({"liver": ("liver",), "tumor": ("liver tumor",)})
    tumors = {"tumor": ("liver tumor",), "metastasis": ("liver metastasis",)}
    assert sets_of(tumors) == {frozenset(tumors)}
    assert not sets_of({"liver": ("liver",), **tumors})


def test_prompts_are_those_that_have_the_shared_words() -> None:
    trained = {
        "L1": ("L1 vertebra", "first lumbar vertebra", "L1"),
        "L2": ("L2 vertebra", "second lumbar vertebra", "second lumbar body of the vertebra"),
        "T1": ("T1 vertebra", "first thoracic vertebra"),
    }
    names = {structure: prompts[0] for structure, prompts in trained.items()}
    lumbar = {"L1": ("first lumbar vertebra",), "L2": ("second lumbar body of the vertebra", "second lumbar vertebra")}
    assert lumbar in find_like_named(names, trained)
    assert frozenset({"L1", "L2", "T1"}) in sets_of(trained)


def test_a_set_has_no_more_members_than_can_be_held() -> None:
    trained = {f"r{number}": (f"rib {number}",) for number in range(MOST_MEMBERS + 1)}
    assert not sets_of(trained)
    del trained["r0"]
    assert sets_of(trained) == {frozenset(trained)}


def test_most_groups_of_totalsegmentator_are_among_them_though_no_name_of_a_group_is_read() -> None:
    prompts = build_structure_prompts(V2_STRUCTURES)
    assert not prompts.trained_of_groups
    found = {frozenset(having) for having in find_like_named(prompts.names, prompts.trained)}
    missing = [group.name for group in prompts.groups if frozenset(group.members) not in found]
    # The vocabulary counts cysts among the kidneys.
    assert missing == ["supra-aortic arteries", "bowel", "kidneys", "spine", "rib cage", "ribs"]
    assert frozenset({"kidney_left", "kidney_right"}) in found
