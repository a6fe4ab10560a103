"""The score of a text encoder on words that it has not learned: synonyms, groups, sides, and Latin names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from prompts.vocabulary import Vocabulary
from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.data.structure_prompts import StructurePrompts, build_structure_prompts

from .latin_names import latin_names

Encode = Callable[[list[str]], Tensor]


def score_encoder(encode: Encode, vocabulary: Vocabulary, prompts: StructurePrompts | None = None) -> dict[str, float]:
    """Return `word_score` with the Latin names that the vocabulary does not have.

    `prompts` are those of TotalSegmentator's classes, by default with the first third of the synonyms held out.
    """
    prompts, latin = prompts or build_structure_prompts(V2_STRUCTURES, vocabulary), latin_names(vocabulary)
    of_structures = {structure: latin[name] for structure, name in prompts.names.items() if name in latin}
    return word_score(encode, prompts, of_structures)


def word_score(encode: Encode, prompts: StructurePrompts, latin: Mapping[str, str]) -> dict[str, float]:
    """Return the measures of an encoder on the prompts of a data set's structures; `encode` gives (N, E) of length 1.

    - `synonyms_nearest_prompt`, `synonyms_nearest_name`: share of the held-out synonyms whose nearest of all trained
      prompts, or of all names, is of their own structure;
    - `groups_at_their_mean`, `group_synonyms_at_their_mean`: share of the groups' names, or further names, whose
      nearest of all groups' means and all names is the mean of their own members;
    - `left_right_cosine`: mean cosine of the names of one structure on both sides;
    - `synonym_cosine`: mean cosine of a held-out synonym and its name;
    - `latin_nearest_name`: as the second, for `latin`, the Latin name of each structure, which no one has learned.
    """
    names = list(prompts.names)
    own = {name: number for number, name in enumerate(names)}
    name_vectors = encode([prompts.names[name] for name in names])
    trained = [(name, prompt) for name, terms in prompts.trained.items() for prompt in terms]
    held_out = [(name, prompt) for name, terms in prompts.held_out.items() for prompt in terms]
    trained_vectors, held_out_vectors = (encode([prompt for _, prompt in pairs]) for pairs in (trained, held_out))
    owners = [own[name] for name, _ in held_out]
    nearest_prompt = (held_out_vectors @ trained_vectors.T).argmax(dim=1).tolist()
    score = {
        "synonyms_nearest_prompt": _mean(
            [own[trained[at][0]] == owner for at, owner in zip(nearest_prompt, owners, strict=True)]
        ),
        "synonyms_nearest_name": _nearest(held_out_vectors, name_vectors, owners),
        "synonym_cosine": float((held_out_vectors * name_vectors[owners]).sum(dim=1).mean()),
    }
    score |= _group_score(encode, prompts, name_vectors, own)
    pairs = [(own[left], own[right]) for left, right in _sides(prompts)]
    cosines = [float(name_vectors[left] @ name_vectors[right]) for left, right in pairs]
    known = [(own[name], text) for name, text in latin.items() if name in own]
    return score | {
        "left_right_cosine": _mean(cosines),
        "latin_nearest_name": _nearest(
            encode([text for _, text in known]), name_vectors, [owner for owner, _ in known]
        ),
    }


def _group_score(
    encode: Encode, prompts: StructurePrompts, name_vectors: Tensor, own: Mapping[str, int]
) -> dict[str, float]:
    means = [
        functional.normalize(name_vectors[[own[member] for member in group.members]].mean(dim=0), dim=0)
        for group in prompts.groups
    ]
    if not means:
        return {"groups_at_their_mean": float("nan"), "group_synonyms_at_their_mean": float("nan")}
    candidates = torch.cat([torch.stack(means), name_vectors])
    texts = [
        (number, prompt, place)
        for number, group in enumerate(prompts.groups)
        for place, prompt in enumerate(prompts.group_prompts[group.name])
    ]
    vectors = encode([prompt for _, prompt, _ in texts])
    right = [
        (int(nearest) == number, place)
        for nearest, (number, _, place) in zip((vectors @ candidates.T).argmax(dim=1), texts, strict=True)
    ]
    return {
        "groups_at_their_mean": _mean([hit for hit, place in right if place == 0]),
        "group_synonyms_at_their_mean": _mean([hit for hit, place in right if place > 0]),
    }


def _nearest(vectors: Tensor, names: Tensor, owners: Sequence[int]) -> float:
    """Return the share of the vectors whose nearest name is their owner's."""
    if not len(owners):
        return float("nan")
    return _mean([at == owner for at, owner in zip((vectors @ names.T).argmax(dim=1).tolist(), owners, strict=True)])


def _sides(prompts: StructurePrompts) -> list[tuple[str, str]]:
    """Return the structures of both sides by their names: "left kidney", "right kidney"."""
    structures = {name: structure for structure, name in prompts.names.items()}
    pairs = [(structure, structures.get(name.replace("left", "right"))) for name, structure in structures.items()]
    return [(left, right) for left, right in pairs if right is not None and right != left]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")
