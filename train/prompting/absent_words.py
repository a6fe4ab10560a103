"""Words of which it is known that a patch shows nothing that they mean, though no data set labels it.

A word for something that no data set labels is in general unknown, not absent: an abdomen whose ureters nobody
contoured has ureters. What is asked as absent is therefore only

- what means nothing in a body ("banana");
- what the user says that no volume shows (`not_shown`: the head, in volumes of trunks);
- a part of a structure that was looked for in the case and is not in the patch, nor is anything that lies next to that
  structure: then the patch is of another place. Without the neighbours, a rest of what was removed, or something at
  the edge of the patch, would count as absent;
- an organ of one sex where the patch shows a labelled organ of the other: no uterus beside a prostate.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from prompts.vocabulary import Vocabulary

# Organs that one sex alone has, with all of their parts.
ORGANS_OF_ONE_SEX = (
    frozenset({"uterus", "ovaries", "fallopian tubes", "vagina"}),
    frozenset({"prostate", "seminal vesicles", "testes", "penis"}),
)


@dataclass(frozen=True)
class AbsentWord:
    """A prompt for what no data set labels, and what makes it known to be absent in a patch.

    It is where every structure of `wholes`, which it is part of, was looked for in the case, and neither they nor any
    of `around` are in the patch; where the patch shows one of `rivals`; and everywhere where all three are empty.
    """

    text: str
    wholes: frozenset[str] = frozenset()
    around: frozenset[str] = frozenset()
    rivals: frozenset[str] = frozenset()

    def is_known_absent(self, shown: Collection[str], looked_for: Collection[str]) -> bool:
        """Return whether it is absent in a patch that shows these structures, of a case in which those were sought."""
        if not self.wholes and not self.rivals:
            return True
        if not self.rivals.isdisjoint(shown):
            return True
        return bool(self.wholes) and self.wholes <= set(looked_for) and (self.wholes | self.around).isdisjoint(shown)


def find_absent_words(
    names: Mapping[str, str],
    near: Mapping[str, Sequence[str]],
    not_shown: Collection[str],
    vocabulary: Vocabulary,
) -> tuple[AbsentWord, ...]:
    """Return every organ that is neither a structure nor a group of some, and may be known to be absent.

    `names` has the vocabulary's name of each structure, `near` the structures that lie next to each, `not_shown` organs
    and regions of the vocabulary that no volume shows. Raises ValueError for one that the vocabulary does not know, or
    that is a structure or contains one.
    """
    structure_of = {name: structure for structure, name in names.items() if name in vocabulary.organs}
    above = {ancestor for name in structure_of for ancestor in vocabulary.ancestors(name)}
    nowhere = _organs_not_shown(not_shown, structure_of, vocabulary)
    words = []
    for name, organ in vocabulary.organs.items():
        if organ.region or name in structure_of or name in above:
            continue
        if name in nowhere:
            words.append(AbsentWord(name))
            continue
        wholes = frozenset(structure_of[whole] for whole in vocabulary.ancestors(name) & structure_of.keys())
        rivals = _rivals(name, structure_of, vocabulary)
        if wholes or rivals:
            around = frozenset(neighbour for whole in wholes for neighbour in near.get(whole, ()))
            words.append(AbsentWord(name, wholes, around, rivals))
    return tuple(words)


def _organs_not_shown(
    not_shown: Collection[str], structure_of: Mapping[str, str], vocabulary: Vocabulary
) -> frozenset[str]:
    """Return the organs that `not_shown` names, with all of their parts that no structure is part of or contains."""
    nowhere: set[str] = set()
    for text in not_shown:
        name = vocabulary.resolve(text)
        if name is None:
            raise ValueError(f"not_shown: the anatomy vocabulary does not know {text!r} (prompts/organs.yaml)")
        if name in structure_of:
            raise ValueError(f"not_shown: {text!r} is a structure of the data set ({structure_of[name]})")
        nowhere |= {name} | vocabulary.descendants(name)
    # "neck" has the esophagus in it, of which trunks show a part.
    return frozenset(name for name in nowhere if vocabulary.ancestors(name).isdisjoint(structure_of))


def _rivals(name: str, structure_of: Mapping[str, str], vocabulary: Vocabulary) -> frozenset[str]:
    """Return the structures that only the other sex has; none for an organ that both have."""
    own = {name} | vocabulary.ancestors(name)
    for sex, other in (ORGANS_OF_ONE_SEX, ORGANS_OF_ONE_SEX[::-1]):
        if own & sex:
            return frozenset(
                structure
                for organ, structure in structure_of.items()
                if ({organ} | vocabulary.ancestors(organ)) & other
            )
    return frozenset()
