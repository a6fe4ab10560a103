"""Words of which it is known that a patch shows nothing that they mean, though no data set labels it.

A word for something that no data set labels is in general unknown, not absent: an abdomen whose ureters nobody
contoured has ureters. What is asked as absent is therefore only

- what means nothing in a body ("banana");
- what the user says that no volume shows (`not_shown`: the head, in volumes of trunks);
- an organ of one sex where the patch shows a labelled organ of the other: no uterus beside a prostate.

A part of a labelled structure is surely absent where its whole is, but it is not asked: such a word would be seen as
absent alone, never as present, and the connector learns from the words that it is never there, and what sounds alike
neither. In a trial on the phantoms words for absent organs, parts among them, took held-out groups from a Dice of 0.36
to 0.25, and "left lung" to 0. So words for absent organs are asked only where `absent_words` says so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from prompts.vocabulary import Vocabulary

# Organs that one sex alone has, with all of their parts.
ORGANS_OF_ONE_SEX = (
    frozenset({"uterus", "ovaries", "fallopian tubes", "vagina"}),
    frozenset({"prostate", "seminal vesicles", "testes", "penis"}),
)


@dataclass(frozen=True)
class AbsentWord:
    """A prompt for what no data set labels: known to be absent where a patch shows one of `rivals`.

    Without rivals it is known to be absent everywhere.
    """

    text: str
    rivals: frozenset[str] = frozenset()

    def is_known_absent(self, shown: Collection[str]) -> bool:
        """Return whether it is known to be absent in a patch that shows these structures."""
        return not self.rivals or not self.rivals.isdisjoint(shown)


def find_absent_words(
    names: Mapping[str, str], not_shown: Collection[str], vocabulary: Vocabulary
) -> tuple[AbsentWord, ...]:
    """Return every organ that may be known to be absent; none is a structure, a part of one, or contains one.

    `names` has the vocabulary's name of each structure, `not_shown` organs and regions of the vocabulary that no volume
    shows. Raises ValueError for one that the vocabulary does not know, or that is a structure.
    """
    structure_of = {name: structure for structure, name in names.items() if name in vocabulary.organs}
    nowhere = _organs_not_shown(not_shown, structure_of, vocabulary)
    words = []
    for name in other_organs(structure_of, vocabulary):
        rivals = _rivals(name, structure_of, vocabulary)
        if name in nowhere or rivals:
            words.append(AbsentWord(name, frozenset() if name in nowhere else rivals))
    return tuple(words)


def other_organs(structures: Collection[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """Return the organs that are none of the structures, no part of one and no whole of which one is a part.

    `structures` are named as in the vocabulary. Regions of the body are none either.
    """
    related = {name for name in structures if name in vocabulary.organs}
    related |= {other for name in related for other in (*vocabulary.ancestors(name), *vocabulary.descendants(name))}
    return tuple(name for name, organ in vocabulary.organs.items() if not organ.region and name not in related)


def _organs_not_shown(
    not_shown: Collection[str], structure_of: Mapping[str, str], vocabulary: Vocabulary
) -> frozenset[str]:
    """Return the organs that `not_shown` names, with all of their parts."""
    nowhere: set[str] = set()
    for text in not_shown:
        name = vocabulary.resolve(text)
        if name is None:
            raise ValueError(f"not_shown: the anatomy vocabulary does not know {text!r} (prompts/organs.yaml)")
        if name in structure_of:
            raise ValueError(f"not_shown: {text!r} is a structure of the data set ({structure_of[name]})")
        nowhere |= {name} | vocabulary.descendants(name)
    return frozenset(nowhere)


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
