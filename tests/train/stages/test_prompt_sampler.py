import torch
from torch.nn import functional

from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.data.structure_prompts import build_structure_prompts
from train.stages.prompt_sampler import NOISE, PromptSampler

STRUCTURES = ["liver", "spleen", "kidney_left", "kidney_right", "aorta", "stomach"]
STRUCTURES += [name for name in V2_STRUCTURES if name.startswith("lung_")]
STRUCTURE_PROMPTS = build_structure_prompts(STRUCTURES)
TRAINED = {
    prompt: place for place, prompt in enumerate(p for prompts in STRUCTURE_PROMPTS.trained.values() for p in prompts)
}
# One axis for each prompt, so that an embedding tells what it was made of. What is held out has none.
EMBEDDINGS = dict(zip(TRAINED, torch.eye(len(TRAINED), 400), strict=True))


def sampler(count: int = 8, merged: float = 0.5, seed: int = 0) -> PromptSampler:
    return PromptSampler(STRUCTURE_PROMPTS, EMBEDDINGS, count, merged, seed)


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
    structure_prompts = build_structure_prompts(["kidney_left", "kidney_right"])
    embeddings = {prompt: torch.ones(3) for prompts in structure_prompts.trained.values() for prompt in prompts}
    drawn = PromptSampler(structure_prompts, embeddings, 4, 1.0, 0).draw(0)
    assert all(len(names) == 1 for names in drawn.structures)


def test_every_prompt_that_may_be_trained_is() -> None:
    drawn = [sampler(merged=0).draw(step) for step in range(60)]
    assert {prompt for step in drawn for vector in step.embeddings for prompt in made_of(vector)} == set(TRAINED)
