import dataclasses

import torch
from torch.nn import functional

from train.config.prompting import HoldOut, Prompting
from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.data.structure_prompts import StructurePrompts, build_structure_prompts
from train.prompting.absent_words import AbsentWord
from train.prompting.nonsense_words import TRAINED_NONSENSE
from train.prompting.patch_content import PatchContent
from train.prompting.prompt_sampler import NOISE, PromptSampler

STRUCTURES = ["liver", "spleen", "kidney_left", "kidney_right", "aorta", "stomach"]
STRUCTURES += [name for name in V2_STRUCTURES if name.startswith("lung_")]
STRUCTURE_PROMPTS = build_structure_prompts(STRUCTURES)
FREE = build_structure_prompts(STRUCTURES, hold_out=HoldOut())
WORDS = (AbsentWord("uterus", frozenset({"spleen", "stomach"})), AbsentWord("femur"))
ALL_WORDS = [*TRAINED_NONSENSE, *(word.text for word in WORDS)]
# One axis for each prompt, so that an embedding tells what it was made of. What is held out has none.
TRAINED = {prompt: place for place, prompt in enumerate([*sorted(FREE.trained_prompts), *ALL_WORDS])}
EMBEDDINGS = dict(zip(TRAINED, torch.eye(len(TRAINED), 600), strict=True))
NEAR = {"kidney_left": ("kidney_right", "spleen"), "liver": ("stomach",)}
SINGLES = {"groups": 0.0, "near_negatives": 0.0, "absent_words": 0.0, "nonsense": 0.0}
EVERYTHING = frozenset(STRUCTURES)


def sampler(
    prompts: StructurePrompts = STRUCTURE_PROMPTS, count: int = 8, seed: int = 0, **shares: float
) -> PromptSampler:
    """A sampler of single structures, of which half are made-up prompts, unless `shares` say otherwise."""
    options = Prompting(prompts_per_step=count, **{**SINGLES, "merged": 0.5, **shares})  # type: ignore[arg-type]
    embeddings = {text: EMBEDDINGS[text] for text in [*prompts.trained_prompts, *ALL_WORDS]}
    return PromptSampler(prompts, embeddings, options, seed, NEAR, WORDS)


def made_of(vector: torch.Tensor) -> list[str]:
    """Return the prompts that an embedding was made of, the noise apart."""
    there = (vector > 0.6 * vector.max()).tolist()
    return [prompt for prompt, place in TRAINED.items() if there[place]]


def test_a_step_has_the_same_prompts_in_whatever_order_steps_are_drawn() -> None:
    first, second = sampler(), sampler()
    second.draw(99)
    for step in (0, 1, 7):
        assert first.draw(step).structures == second.draw(step).structures
        assert torch.equal(first.draw(step).embeddings, second.draw(step).embeddings)
    assert first.draw(1).structures != first.draw(2).structures != sampler(seed=1).draw(2).structures


def test_embeddings_have_length_one_and_mean_what_they_stand_for() -> None:
    for step in range(30):
        drawn = sampler().draw(step)
        assert drawn.embeddings.dtype == torch.float32
        torch.testing.assert_close(drawn.embeddings.norm(dim=1), torch.ones(8))
        for vector, structures in zip(drawn.embeddings, drawn.structures, strict=True):
            owners = {
                name for name in structures for prompt in STRUCTURE_PROMPTS.trained[name] if prompt in made_of(vector)
            }
            assert owners == set(structures)
            exact = functional.normalize(
                sum((EMBEDDINGS[prompt] for prompt in made_of(vector)), torch.zeros(())), dim=0
            )
            # The mean over the structures, moved by noise of that length at most.
            assert float(vector @ exact) > 1 / (1 + NOISE**2) ** 0.5 - 0.02


def test_no_held_out_group_is_drawn_as_a_whole() -> None:
    members = {group.name: set(group.members) for group in STRUCTURE_PROMPTS.groups}
    assert len(members["kidneys"]) == 2 and len(members["right lung"]) == 3 and len(members["lungs"]) == 5
    merged = [set(names) for step in range(150) for names in sampler().draw(step).structures if len(names) > 1]
    assert len(merged) == 150 * 4 and {len(names) for names in merged} == {2, 3, 4, 5}
    assert not [names for names in merged for group in members.values() if group <= names]
    # Some members of one group meet, so that several of a kind are nothing new.
    assert any(len(members["right lung"] & names) == 2 for names in merged)


def test_groups_are_asked_by_their_own_names_but_for_the_fold_that_is_held_out() -> None:
    fold = build_structure_prompts(STRUCTURES, hold_out=HoldOut(1, 3))
    held_out = {group.name for group in fold.held_out_groups}
    assert held_out and held_out < {group.name for group in fold.groups}
    members = {group.name: group.members for group in fold.groups}
    asked: dict[tuple[str, ...], set[str]] = {}
    for step in range(80):
        drawn = sampler(fold, merged=0.25, groups=0.25).draw(step)
        for vector, structures in zip(drawn.embeddings, drawn.structures, strict=True):
            if len(structures) > 1:
                texts = made_of(vector)
                if len(texts) == 1:
                    asked.setdefault(structures, set()).update(texts)
                assert not any(set(members[name]) <= set(structures) for name in held_out) or len(texts) == 1
    assert asked == {members[name]: set(prompts) for name, prompts in fold.trained_of_groups.items()}
    assert asked.keys().isdisjoint(members[name] for name in held_out)


def test_without_a_hold_out_every_prompt_is_drawn() -> None:
    drawn = [sampler(FREE, count=10, merged=0, groups=0.5).draw(step) for step in range(150)]
    texts = {prompt for step in drawn for vector in step.embeddings for prompt in made_of(vector)}
    assert texts == set(FREE.trained_prompts)


def test_what_is_shown_comes_first_then_what_lies_next_to_it() -> None:
    shown = frozenset({"kidney_left", "liver"})
    near: list[str] = []
    for step in range(40):
        drawn = sampler(count=4, merged=0, near_negatives=0.25).draw(step, PatchContent(shown, EVERYTHING))
        names = [name for (name,) in drawn.structures]
        assert set(names[:2]) == shown and len(names) == 4 and not shown & set(names[2:])
        near += names[2:]
    assert set(near) == {"kidney_right", "spleen", "stomach"}
    # What was looked for nowhere is not asked; where more is shown than fits, the share of the others stays.
    some = PatchContent(EVERYTHING - {"spleen", "aorta"}, EVERYTHING - {"aorta"})
    for step in range(20):
        structures = sampler(count=4, merged=0, near_negatives=0.25).draw(step, some).structures
        assert structures[-1] == ("spleen",) and ("aorta",) not in structures


def test_words_for_what_is_absent_are_asked_where_that_is_known() -> None:
    def words(content: PatchContent) -> set[str]:
        drawn = [
            sampler(count=8, merged=0, absent_words=0.25, nonsense=0.25).draw(step, content, presence=True)
            for step in range(300)
        ]
        for step in drawn:
            for vector, structures, word in zip(*step, strict=True):
                assert (structures == ()) == (word is not None)
                assert word is None or made_of(vector) == [word.text]
        return {word.text for step in drawn for word in step.words if word}

    assert words(PatchContent(frozenset({"stomach", "liver"}), EVERYTHING)) == {"uterus", "femur", *TRAINED_NONSENSE}
    assert words(PatchContent(frozenset({"liver"}), EVERYTHING)) == {"femur", *TRAINED_NONSENSE}


def test_no_mask_is_learned_of_organs_that_are_absent() -> None:
    asked = {
        word.text for step in range(300) for word in sampler(absent_words=0.25, nonsense=0.25).draw(step).words if word
    }
    assert asked == set(TRAINED_NONSENSE)


def test_a_mask_is_known_if_all_of_its_structures_were_looked_for_or_its_word_says_so() -> None:
    step = (
        sampler(count=2, merged=0)
        .draw(0)
        ._replace(structures=(("liver",), ("liver", "spleen"), (), ()), words=(None, None, *WORDS))
    )
    assert step.known_in(PatchContent(frozenset({"spleen"}), frozenset({"liver", "spleen"}))) == [True] * 4
    assert step.known_in(PatchContent(frozenset(), frozenset({"liver"}))) == [True, False, False, True]


def test_singles_are_all_structures_in_turn_and_half_the_time_by_name() -> None:
    by_name = by_synonym = 0
    seen = set()
    for step in range(100):
        drawn = sampler(count=4, merged=0).draw(step)
        assert len(set(drawn.structures)) == 4 and all(len(names) == 1 for names in drawn.structures)
        seen |= {name for (name,) in drawn.structures}
        for vector, (name,) in zip(drawn.embeddings, drawn.structures, strict=True):
            if len(STRUCTURE_PROMPTS.trained[name]) > 1:
                is_name = made_of(vector) == [STRUCTURE_PROMPTS.names[name]]
                by_name, by_synonym = by_name + is_name, by_synonym + (not is_name)
    assert seen == set(STRUCTURES)
    assert 0.4 < by_name / (by_name + by_synonym) < 0.6


def test_more_prompts_than_structures_and_one_group_alone() -> None:
    assert len(sampler(count=100, merged=0).draw(0).structures) == len(STRUCTURES)
    prompts = build_structure_prompts(["kidney_left", "kidney_right"])
    drawn = dataclasses.replace(sampler(count=4, merged=1.0), structure_prompts=prompts).draw(0)
    assert all(len(names) == 1 for names in drawn.structures)


def test_every_prompt_that_may_be_trained_is() -> None:
    drawn = [sampler(merged=0).draw(step) for step in range(60)]
    texts = {prompt for step in drawn for vector in step.embeddings for prompt in made_of(vector)}
    assert texts == set(STRUCTURE_PROMPTS.trained_prompts)
