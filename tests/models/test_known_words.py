"""What a prompt is read as: one word, several structures together, or neither."""

import torch
from torch import Tensor
from torch.nn import functional

from models.known_words import FAR, LIKE_OTHER, OTHER_ORGAN, TOGETHER, KnownWords

LEFT, RIGHT, LIVER, URETER, ASIDE = torch.eye(8)[:5]


def unit(vector: Tensor) -> Tensor:
    return functional.normalize(vector, dim=-1)


BOTH = unit(LEFT + RIGHT)


def kidneys(unknown: float = 0.3) -> KnownWords:
    known = KnownWords(4, 8, 1)
    known.vectors.copy_(torch.stack((LEFT, RIGHT, LIVER, URETER)))
    known.meanings[3] = OTHER_ORGAN
    known.unknown.copy_(torch.tensor([unknown, 0.1]))
    known.hold([(BOTH, [1, 0])])
    return known


def test_a_prompt_nearest_to_the_mean_of_several_is_read_as_these() -> None:
    read = kidneys().read_as(torch.stack((3 * (BOTH + 0.5 * ASIDE), LEFT, LIVER + 0.3 * LEFT, LEFT + LIVER, ASIDE)))
    # The rows of the right and the left kidney, one word each, between two words, and nothing that is known.
    assert [meanings.tolist() for meanings in read] == [[1, 0], [0], [2], [], []]


def test_how_much_nearer_it_must_be() -> None:
    def at(share: float) -> Tensor:
        """A prompt so far from the mean towards one word."""
        return unit((1 - share) * BOTH + share * LEFT)

    known, shares = kidneys(), torch.linspace(0, 1, 201)
    prompts = torch.stack([at(float(share)) for share in shares])
    ahead = prompts @ BOTH - (prompts @ LEFT)
    several = torch.tensor([len(meanings) > 1 for meanings in known.read_as(prompts)])
    assert torch.equal(several, ahead >= TOGETHER) and several.any() and not several.all()


def test_another_organ_that_is_nearer_is_none_of_them() -> None:
    known = kidneys()
    for share in (0.3, 0.5, 0.6, 0.8):
        prompt = unit((1 - share) * BOTH + share * URETER)
        nearer = float(prompt @ URETER - prompt @ BOTH)
        assert (len(known.read_as(prompt[None])[0]) > 1) == (nearer <= LIKE_OTHER)
    # What is far nearer to another organ, or is that organ, is not known at all.
    assert float(known.limit(unit(BOTH + 3 * URETER)[None])) < 0 and FAR < 3 / 10**0.5 - 1 / 10**0.5


def test_what_is_far_from_all_words_is_known_by_their_mean_alone() -> None:
    asked = unit(BOTH + 0.8 * ASIDE)[None]
    to_word, to_mean = float(asked @ LEFT), float(asked @ BOTH)
    between, beyond = kidneys((to_word + to_mean) / 2), kidneys((to_mean + 1) / 2)
    assert float(between.nearness(asked)) > float(between.unknown[0])
    assert float(between.limit(asked)) > 0 > float(beyond.limit(asked))
    assert len(between.read_as(asked)[0]) == 2 and not len(beyond.read_as(asked)[0])


def test_without_unions_each_prompt_is_one() -> None:
    known = KnownWords(2, 8)
    known.vectors.copy_(torch.stack((LEFT, RIGHT)))
    assert [meanings.tolist() for meanings in known.read_as(torch.stack((BOTH, LEFT)))] == [[], [0]]
    assert "unions" not in known.state_dict() and "unions" in kidneys().state_dict()
