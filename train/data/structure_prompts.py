"""What structures are called: which prompts training may use, and which are kept for evaluation alone.

A structure is a label of a data set (`kidney_left`). Its prompts come from the anatomy vocabulary: the organ's name
first, then its synonyms; and the label in words, as users of that data set would type it. A share of the synonyms,
and everything that names several structures at once ("kidneys", "lungs"), is held out: no training sees it, so that
evaluation says how a model deals with words it was never shown.
What is held out depends on the words alone, so that it is the same for every data set and every run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from pydantic import JsonValue

from prompts.vocabulary import Organ, Vocabulary, load_vocabulary

# One synonym in three is held out, and always one where there are two.
HELD_OUT_EVERY = 3
# Beyond these a vocabulary's synonyms are spellings of each other ("first lumbar vertebral corpus").
MOST_SYNONYMS = 9
# The vocabulary files captions about a part under its organ, so it lists parts among an organ's terms. A prompt that
# names a part is no prompt for the whole.
PARTS = frozenset(
    "aberrant ala anterior apex arc arch area axis base bed bodies body border branch bulb canal central "
    "cervical chorda collecting compartment condyle content conus corpus cortex crus curvature diaphysis "
    "distal dome dorsal element end fat field flexure floor frame fundus head horn inferior intracranial "
    "intrahepatic joint junction lateral leg ligament limb lobe lodge loop lower lumbosacral lung main major "
    "mid middle neck part peripheral plane portion posterior pouch promontory proximal region remnant residual "
    "segment shaft silhouette sinus space spine superior supratentorial suture sweep system tail thoracic "
    "tissue transition transitional trigone trunk upper wall wing zone".split()
)
# Of these TotalSegmentator labels a part alone, so that the labels together are not the whole.
INCOMPLETE = frozenset({"arteries", "mediastinum", "muscles", "retroperitoneum", "skeleton", "veins", "vessels"})


@dataclass(frozen=True)
class Group:
    """Several structures under one name, such as `kidneys`; `members` are labels of the data set."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class PromptBook:
    """Prompts of each structure, by use; see the module. `names` are among `trained`, first."""

    names: Mapping[str, str]
    trained: Mapping[str, tuple[str, ...]]
    held_out: Mapping[str, tuple[str, ...]]
    groups: tuple[Group, ...]
    group_prompts: Mapping[str, tuple[str, ...]]

    def to_json(self) -> dict[str, JsonValue]:
        """As a checkpoint records it."""
        return {
            "names": dict(self.names),
            "trained": {name: list(prompts) for name, prompts in self.trained.items()},
            "held_out": {name: list(prompts) for name, prompts in self.held_out.items()},
            "groups": {group.name: list(group.members) for group in self.groups},
            "group_prompts": {name: list(prompts) for name, prompts in self.group_prompts.items()},
        }

    @classmethod
    def from_json(cls, record: Mapping[str, JsonValue]) -> Self:
        """What `to_json` gave; ValueError for anything else."""
        names, trained, held_out, groups, group_prompts = (
            record.get(part) for part in ("names", "trained", "held_out", "groups", "group_prompts")
        )
        if not isinstance(names, dict):
            raise ValueError("the checkpoint's record of prompts has no names")
        return cls(
            {name: str(prompt) for name, prompt in names.items()},
            _lists(trained),
            _lists(held_out),
            tuple(Group(name, members) for name, members in _lists(groups).items()),
            _lists(group_prompts),
        )

    @classmethod
    def recorded(cls, trained_on: Sequence[Mapping[str, JsonValue]]) -> Self | None:
        """The prompts that a checkpoint's last training used and held out; None where its record does not say."""
        record = trained_on[-1].get("prompts") if trained_on else None
        try:
            return cls.from_json(record) if isinstance(record, Mapping) else None
        except ValueError:
            return None


def prompt_book(structures: Sequence[str], vocabulary: Vocabulary | None = None) -> PromptBook:
    """Prompts for the structures of a data set, and for every group that they make up wholly.

    A structure that the vocabulary does not know is prompted by its label, underscores as blanks, and has no synonyms.
    """
    vocabulary = vocabulary or load_vocabulary()
    organs = {structure: vocabulary.resolve(structure) for structure in structures}
    groups = _groups({name: organ for name, organ in organs.items() if organ}, vocabulary)
    names, trained, held_out = {}, {}, {}
    for structure, organ in organs.items():
        label = structure.replace("_", " ").strip()
        names[structure] = organ or label
        synonyms = synonyms_of(organ, vocabulary) if organ else []
        away = _held_out(synonyms)
        # "hip left" is a bone to TotalSegmentator, and a joint to others.
        said = [] if vocabulary.resolve(label) not in (organ, None) else [label]
        own = [term for term in (names[structure], *synonyms, *said) if term not in away]
        trained[structure] = tuple(dict.fromkeys(own))
        held_out[structure] = tuple(term for term in synonyms if term in away)
    group_prompts = {group.name: (group.name, *synonyms_of(group.name, vocabulary)) for group in groups}
    return PromptBook(names, trained, held_out, groups, group_prompts)


def synonyms_of(name: str, vocabulary: Vocabulary) -> list[str]:
    """Other names for the whole organ, and what radiologists make of its adjective ("left renal organ")."""
    organ = vocabulary.organs[name]
    own = {word.removesuffix("s") for word in _words(name)} | set(_words(name))
    nouns = [term for term in organ.terms[1:] if not PARTS & set(_words(term)) - own]
    adjectives = [
        f"{adjective} organ" for adjective in organ.adjectives[:1] if _stands_for(adjective, name, vocabulary)
    ]
    return list(dict.fromkeys([*nouns[: MOST_SYNONYMS - len(adjectives)], *adjectives]))


def _stands_for(adjective: str, name: str, vocabulary: Vocabulary) -> bool:
    """Bones, vessels, muscles and lobes are no "organs"; `intra-` and joined adjectives say something else."""
    kinds = {name} | vocabulary.ancestors(name)
    of_another_kind = kinds & {
        "skeleton",
        "vessels",
        "muscles",
        "left lung",
        "right lung",
        "upper lobes",
        "lower lobes",
    }
    return not of_another_kind and not adjective.startswith(("intra", "peri")) and "cortical" not in adjective


def _held_out(synonyms: Sequence[str]) -> set[str]:
    """Without their sides, so that what is held out of a left organ is held out of the right one too."""
    sideless = {term: " ".join(word for word in _words(term) if word not in ("left", "right")) for term in synonyms}
    ranked = sorted(synonyms, key=lambda term: hashlib.sha256(sideless[term].encode()).digest())
    return set(ranked[: max(len(ranked) // HELD_OUT_EVERY, int(len(ranked) == 2))])


def _groups(organs: Mapping[str, str], vocabulary: Vocabulary) -> tuple[Group, ...]:
    """Groups of which every part that TotalSegmentator labels is labelled here too; of equal ones the closest name.

    So "spine" is a group where all vertebrae are labelled, not where three are.
    """
    labelled = {organ: structure for structure, organ in organs.items()}
    found: dict[tuple[str, ...], str] = {}
    for name, organ in vocabulary.organs.items():
        if organ.region or name in labelled or name in INCOMPLETE or not _one_thing(organ):
            continue
        below = vocabulary.descendants(name)
        parts = {part for part in below if vocabulary.organs[part].totalsegmentator and not _a_finding(part)}
        members = tuple(structure for structure, part in organs.items() if part in below)
        if len(members) < 2 or not parts <= labelled.keys():
            continue
        other = found.get(members)
        if other is None or len(below) < len(vocabulary.descendants(other)):
            found[members] = name
    return tuple(Group(name, members) for members, name in found.items())


def _one_thing(organ: Organ) -> bool:
    """A system ("urinary system") or a place is more than the structures that a data set labels of it."""
    return not {"system", "tract", "abdomen", "chest", "pelvis", "space", "extremities"} & set(_words(organ.name))


def _a_finding(name: str) -> bool:
    return "cyst" in _words(name)


def _words(term: str) -> list[str]:
    return re.findall(r"[a-z]+", term.lower())


def _lists(record: JsonValue) -> dict[str, tuple[str, ...]]:
    if not isinstance(record, dict):
        raise ValueError("the checkpoint's record of prompts is incomplete")
    return {name: tuple(str(each) for each in many) for name, many in record.items() if isinstance(many, list)}
