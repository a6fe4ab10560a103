"""Which organs a prompt names by the anatomy vocabulary, and whether it names them whole."""

from __future__ import annotations

import re
from typing import NamedTuple

from prompts.vocabulary import Organ, Vocabulary
from train.data.structure_prompts import PARTS

# Words of position that say the same; a lobe is named by either.
SAME_PLACE = {"superior": "upper", "inferior": "lower", "upper": "superior", "lower": "inferior", "mid": "middle"}
# Words that stand beside the name of an organ and leave it whole: "lung tissue", "bowel loops".
WHOLE = frozenset({"field", "loop", "silhouette", "system", "tissue"})


class NamedOrgans(NamedTuple):
    """The organs that a prompt names, several of "thoracolumbar spine", none where the vocabulary knows no such name.

    `is_part`: it names a part of the organ that the vocabulary has no entry for ("fundus of the gallbladder").
    """

    organs: tuple[str, ...]
    is_part: bool = False


def organs_named(text: str, vocabulary: Vocabulary) -> NamedOrgans:
    """Return the organs that a prompt names, by name, synonym, adjective ("renal organs") or TotalSegmentator class."""
    several = vocabulary.names_of(text) or ()
    if len(several) > 1:
        return NamedOrgans(several)
    name = vocabulary.resolve(text) or _by_adjective(text, vocabulary)
    if name is None:
        return NamedOrgans(())
    return NamedOrgans((name,), _names_part(text, vocabulary.organs[name], vocabulary))


def _by_adjective(text: str, vocabulary: Vocabulary) -> str | None:
    """Return the organ of "<adjective> organ"."""
    words = re.fullmatch(r"\s*(.+?)\s+organs?\s*", text, re.IGNORECASE)
    name = vocabulary.resolve(words[1]) if words else None
    if words is None or name is None:
        return None
    adjective = " ".join(words[1].lower().split())
    organ = vocabulary.organs[name]
    means_organ = not organ.region and not adjective.startswith(("intra", "peri"))
    return name if means_organ and adjective in {known.lower() for known in organ.adjectives} else None


def _names_part(text: str, organ: Organ, vocabulary: Vocabulary) -> bool:
    """Return whether a term of an organ names a part of it: captions on parts are filed under the organ."""
    if text.strip().lower() in {label.lower() for label in (*organ.totalsegmentator, *organ.totalsegmentator_v1)}:
        return False
    allowed = {word for name in (organ.name, *vocabulary.ancestors(organ.name)) for word in _words(name)} | WHOLE
    allowed |= {SAME_PLACE[word] for word in allowed & SAME_PLACE.keys()}
    return bool(_words(text) & PARTS - allowed)


def _words(text: str) -> set[str]:
    words = re.findall(r"[a-z]+", text.lower())
    return {*words, *(word.removesuffix("s") for word in words)}
