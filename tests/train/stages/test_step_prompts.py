import torch
from torch.nn import functional

from train.data.layout_totalsegmentator import V2
from train.data.structure_prompts import prompt_book
from train.stages.step_prompts import NOISE, StepPrompts

STRUCTURES = ["liver", "spleen", "kidney_left", "kidney_right", "aorta", "stomach"]
STRUCTURES += [name for name in V2 if name.startswith("lung_")]
BOOK = prompt_book(STRUCTURES)
TRAINED = {prompt: place for place, prompt in enumerate(p for prompts in BOOK.trained.values() for p in prompts)}
# One axis for each prompt, so that an embedding tells what it was made of. What is held out has none.
EMBEDDINGS = dict(zip(TRAINED, torch.eye(len(TRAINED), 400), strict=True))


def prompts(count: int = 8, merged: float = 0.5, seed: int = 0) -> StepPrompts:
    return StepPrompts(BOOK, EMBEDDINGS, count, merged, seed)


def made_of(vector: torch.Tensor) -> list[str]:
    """The prompts that are in it, the noise apart."""
    there = (vector > 0.6 * vector.max()).tolist()
    return [prompt for prompt, place in TRAINED.items() if there[place]]


def test_a_step_asks_the_same_whoever_asks() -> None:
    one, two = prompts(), prompts()
    two.of(99)
    for step in (0, 1, 7):
        assert one.of(step).structures == two.of(step).structures
        assert torch.equal(one.of(step).embeddings, two.of(step).embeddings)
    assert one.of(1).structures != one.of(2).structures != prompts(seed=1).of(2).structures


def test_embeddings_have_length_one_and_mean_what_they_stand_for() -> None:
    for step in range(30):
        asked = prompts().of(step)
        assert asked.embeddings.dtype == torch.float32
        torch.testing.assert_close(asked.embeddings.norm(dim=1), torch.ones(8))
        for vector, structures in zip(asked.embeddings, asked.structures, strict=True):
            owners = {name for name in structures for prompt in BOOK.trained[name] if prompt in made_of(vector)}
            assert owners == set(structures)
            exact = functional.normalize(
                sum((EMBEDDINGS[prompt] for prompt in made_of(vector)), torch.zeros(())), dim=0
            )
            # The mean over the structures, moved by noise of that length at most.
            assert float(vector @ exact) > 1 / (1 + NOISE**2) ** 0.5 - 0.02


def test_no_held_out_group_is_asked_for_as_a_whole() -> None:
    wholes = {group.name: set(group.members) for group in BOOK.groups}
    assert len(wholes["kidneys"]) == 2 and len(wholes["right lung"]) == 3 and len(wholes["lungs"]) == 5
    merged = [set(each) for step in range(150) for each in prompts().of(step).structures if len(each) > 1]
    assert len(merged) == 150 * 4 and {len(each) for each in merged} == {2, 3, 4, 5}
    assert not [each for each in merged for whole in wholes.values() if whole <= each]
    # Some members of one group meet, so that several of a kind are nothing new.
    assert any(len(wholes["right lung"] & each) == 2 for each in merged)


def test_singles_are_all_structures_in_turn_and_half_the_time_by_name() -> None:
    named = other = 0
    seen = set()
    for step in range(100):
        asked = prompts(count=4, merged=0).of(step)
        assert len(set(asked.structures)) == 4 and all(len(each) == 1 for each in asked.structures)
        seen |= {each for (each,) in asked.structures}
        for vector, (name,) in zip(asked.embeddings, asked.structures, strict=True):
            if len(BOOK.trained[name]) > 1:
                is_name = made_of(vector) == [BOOK.names[name]]
                named, other = named + is_name, other + (not is_name)
    assert seen == set(STRUCTURES)
    assert 0.4 < named / (named + other) < 0.6


def test_more_prompts_than_structures_and_one_group_alone() -> None:
    assert len(prompts(count=100, merged=0).of(0).structures) == len(STRUCTURES)
    book = prompt_book(["kidney_left", "kidney_right"])
    embeddings = {prompt: torch.ones(3) for each in book.trained.values() for prompt in each}
    asked = StepPrompts(book, embeddings, 4, 1.0, 0).of(0)
    assert all(len(each) == 1 for each in asked.structures)


def test_every_prompt_that_may_be_trained_is() -> None:
    asked = [prompts(merged=0).of(step) for step in range(60)]
    assert {prompt for each in asked for vector in each.embeddings for prompt in made_of(vector)} == set(TRAINED)
