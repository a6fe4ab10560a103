import pytest

from prompts.words import label_in_words
from train.config.options import ConfigError
from train.config.prompting import HoldOut
from train.data.held_out_words import select_held_out, select_held_out_groups, sideless_words
from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.data.structure_prompts import build_structure_prompts

GROUPS = tuple(group.name for group in build_structure_prompts(V2_STRUCTURES).groups)


@pytest.mark.parametrize("folds", [1, 2, 3, 5])
def test_over_the_folds_every_group_is_held_out_once(folds: int) -> None:
    chosen = [name for fold in range(folds) for name in select_held_out_groups(GROUPS, HoldOut(fold + 1, folds))]
    assert sorted(chosen) == sorted(GROUPS)


def test_sides_are_held_out_together_and_none_without_folds() -> None:
    for fold in range(1, 6):
        chosen = select_held_out_groups(GROUPS, HoldOut(fold, 5))
        assert ("left lung" in chosen) == ("right lung" in chosen) and ("left ribs" in chosen) == ("ribs" in chosen)
    assert select_held_out_groups(GROUPS, HoldOut()) == set()


def test_the_thirds_of_the_synonyms_share_none_and_are_all_of_them() -> None:
    def held_out(third: int) -> set[tuple[str, str]]:
        prompts = build_structure_prompts(V2_STRUCTURES, hold_out=HoldOut(1, 1, third)).held_out
        return {(name, text) for name, texts in prompts.items() for text in texts}

    thirds = [held_out(third) for third in (1, 2, 3)]
    assert not thirds[0] & thirds[1] and not thirds[1] & thirds[2] and not thirds[0] & thirds[2]
    trained = build_structure_prompts(V2_STRUCTURES, hold_out=HoldOut()).trained
    synonyms = {(name, text) for name, (_, *others) in trained.items() for text in others}
    labels = {(name, label_in_words(name)) for name in trained}  # may be trained always
    assert synonyms - labels <= set.union(*thirds) <= synonyms and min(map(len, thirds)) > 120
    assert [select_held_out(["one", "two"], third) for third in (1, 2, 3)] == [{"two"}, {"one"}, set()]
    assert [select_held_out(["one"], third) for third in (1, 2, 3)] == [set(), set(), {"one"}]


@pytest.mark.parametrize("hold_out", [HoldOut(fold, 3, fold) for fold in (1, 2, 3)])
def test_no_trained_name_gives_a_held_out_one_away(hold_out: HoldOut) -> None:
    prompts = build_structure_prompts(V2_STRUCTURES, hold_out=hold_out)
    by_structures = {sideless_words(text) for texts in prompts.trained.values() for text in texts}
    by_groups = {sideless_words(text) for texts in prompts.trained_of_groups.values() for text in texts}
    held_out = {sideless_words(text) for texts in prompts.held_out.values() for text in texts} - by_structures
    for group in prompts.held_out_groups:
        held_out |= {sideless_words(text) for text in prompts.group_prompts[group.name]}
    assert len(held_out) > 50 and not held_out & by_groups
    # Nothing is lost: what a group is not trained by is held out.
    for name, texts in prompts.group_prompts.items():
        assert {*prompts.trained_of_groups.get(name, ()), *prompts.held_out_of_groups[name]} == set(texts)


def test_with_nothing_held_out_all_is_trained() -> None:
    prompts = build_structure_prompts(V2_STRUCTURES, hold_out=HoldOut())
    assert prompts.trained_of_groups == prompts.group_prompts and not prompts.held_out_groups
    assert not any(prompts.held_out.values())


@pytest.mark.parametrize("text", ["", "some", "0/5", "6/5", "1/0", "-1/5", "fold 1"])
def test_a_hold_out_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"hold_out: none, all, or a fold of the groups such as 1/5 to 5/5, not"):
        HoldOut.parse(text)
    with pytest.raises(ConfigError, match=r"held_out_third: 1, 2 or 3, not 4"):
        HoldOut.parse("all", 4)
    assert [HoldOut.parse(good) for good in ("none", "all", "2/5")] == [HoldOut(), HoldOut(1, 1), HoldOut(2, 5)]
