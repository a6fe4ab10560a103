"""Prompts -> classes: which outputs of a network a prompt means, by the anatomy vocabulary, and what it has none for.

A name or synonym means its class, a group the union of its parts' classes ("left lung" that of its two lobes), names
side by side ("liver and spleen") the union of theirs, where each has classes. Where
the network lacks a part of a group, the union of the others is given with a notice that names what is missing. A prompt
is refused that is unknown, that means a region or a space between organs, or a structure that has no class and is not
made up of two that have: the classes of its neighbours or of its whole would be a mask of something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property

from prompts.vocabulary import Vocabulary, load_vocabulary
from prompts.words import label_in_words
from train.data.structure_prompts import INCOMPLETE, MORE_THAN_STRUCTURES
from train.inference.errors import SegmentError
from train.inference.prompts import SegmentPrompt

from .anatomy_names import name_in_file, organs_named
from .coordination import members_of
from .unknown_prompts import quoted, why_unknown

# Spaces between organs, which the vocabulary has organs in; they are no sum of these.
SPACES = frozenset({"mediastinum", "retroperitoneum"})
# The vocabulary has what lies within bones among their parts ("spinal cord": spine).
BONES, NERVES = "skeleton", "nervous system"
MOST_LISTED = 6
MOST_COMPARED = 200
# How alike a name is (of 1) that is offered: any, or one of a structure that is meant.
NEAR, NEAR_WITHIN = 0.7, 0.4


@dataclass(frozen=True)
class ClassUnion:
    """The classes that a prompt means, by label, and by name.

    `missing` are parts, by name, that there is no class for; `whole` is false for what is more than classes together
    can be ("skeleton", "urinary system").
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    missing: tuple[str, ...] = ()
    whole: bool = True


class ClassNames:
    """The classes of a network, by label and by name, and the unions of them that have names of their own.

    `labels` are the classes without the background; `source` is what has them, for messages: "this checkpoint".
    """

    def __init__(self, labels: Sequence[str], source: str, vocabulary: Vocabulary | None = None) -> None:
        self.vocabulary = vocabulary or load_vocabulary()
        self.source = source
        organs = {label: self.vocabulary.resolve(label) for label in labels}
        self.names = {label: organ or label_in_words(label) for label, organ in organs.items()}
        self._by_text = {label.lower(): label for label in labels}
        self._by_words = {" ".join(label.lower().replace("_", " ").split()): label for label in labels}
        self._by_own_words = {words: label for words, label in self._by_words.items() if not organs[label]}
        self._labels: dict[str, tuple[str, ...]] = {}
        for label, organ in organs.items():
            if organ:
                self._labels[organ] = (*self._labels.get(organ, ()), label)

    def find(self, text: str) -> ClassUnion:
        """Return the classes that a prompt means. Raises SegmentError, with what it knows instead."""
        text = name_in_file(text)
        members = () if self._own_label(text) else members_of(text, self.vocabulary)
        if not members:
            return self._find_one(text)
        try:
            return _joined([self._find_one(member) for member in members])
        except SegmentError as error:
            raise SegmentError(f"of {quoted(text)}: {error}") from None

    def _own_label(self, text: str) -> str | None:
        """Return the class that is called so, whatever the vocabulary knows."""
        words = " ".join(text.lower().replace("_", " ").split())
        return self._by_text.get(text.strip().lower()) or self._by_own_words.get(words)

    def _find_one(self, text: str) -> ClassUnion:
        words = " ".join(text.lower().replace("_", " ").split())
        label = self._own_label(text)
        named = organs_named(text, self.vocabulary)
        if label is None and not named.organs:
            label = self._by_words.get(words)
        if label:
            return ClassUnion((label,), (self.names[label],))
        if not named.organs:
            raise SegmentError(f"{quoted(text)} is unknown{self._why_unknown(text)}")
        if named.is_part and self.union(named.organs[0]):
            raise SegmentError(f"{self.source} has no class for {quoted(text)}: it is a part of {named.organs[0]}")
        unions = [self.union(organ) for organ in named.organs]
        lacking = next((organ for organ, union in zip(named.organs, unions, strict=True) if union is None), None)
        if lacking is not None:
            raise SegmentError(self._refusal(text, lacking))
        return _joined([union for union in unions if union])

    def find_all(self, prompts: Sequence[SegmentPrompt]) -> list[ClassUnion]:
        """Return what each prompt means. Raises SegmentError, which says of each that means nothing here why."""
        unions, problems = [], []
        for prompt in prompts:
            try:
                unions.append(self.find(prompt.text))
            except SegmentError as error:
                problems.append(str(error))
        if problems:
            raise SegmentError(f"{'; '.join(problems)}. --list-prompts shows what {self.source} knows")
        return unions

    def union(self, organ: str) -> ClassUnion | None:
        """Return the classes of an organ, by its canonical name; None where it has none and is no sum of classes."""
        if organ in self._labels:
            return ClassUnion(self._labels[organ], (organ,))
        if self.vocabulary.organs[organ].region or organ in SPACES:
            return None
        members = self._labelled_parts(organ)
        if len(members) < 2:
            return None
        labels = tuple(label for member in members for label in self._labels[member])
        whole = organ not in INCOMPLETE and not MORE_THAN_STRUCTURES & set(organ.split())
        return ClassUnion(labels, tuple(members), tuple(self._missing_parts(organ, members)), whole)

    def unions(self) -> Iterator[tuple[str, ClassUnion]]:
        """Yield all groups that a prompt may name, with their classes."""
        for organ in self.vocabulary.organs:
            union = None if organ in self._labels else self.union(organ)
            if union is not None:
                yield organ, union

    def synonyms(self, name: str) -> tuple[str, ...]:
        """Return the other names of a structure."""
        organ = self.vocabulary.organs.get(name)
        return organ.terms[1:] if organ else ()

    def _parts(self, organ: str) -> frozenset[str]:
        below = self.vocabulary.descendants(organ)
        if BONES in self.vocabulary.organs and self.vocabulary.related(organ, BONES):
            below -= self.vocabulary.descendants(NERVES)
        return below if _is_lesion(organ) else frozenset(part for part in below if not _is_lesion(part))

    def _labelled_parts(self, organ: str) -> list[str]:
        parts = self._parts(organ)
        return [name for name in self._labels if name in parts]

    def _missing_parts(self, organ: str, members: Sequence[str]) -> Iterator[str]:
        """Yield the parts that TotalSegmentator, in either version, has a class for, and that no member covers."""
        for part in sorted(self._parts(organ)):
            entry = self.vocabulary.organs[part]
            if part in members or not (entry.totalsegmentator or entry.totalsegmentator_v1):
                continue
            if self.vocabulary.ancestors(part).isdisjoint(members):
                union = self.union(part)
                if union is None or union.missing:
                    yield part

    def _refusal(self, text: str, organ: str) -> str:
        within = self._labelled_parts(organ)
        of_parts = f"; in it, {self.source} has classes for {_listed(within)}" if within else ""
        if self.vocabulary.organs[organ].region or organ in SPACES:
            return f"{quoted(text)} is a region, and no structure{of_parts}"
        called = f" ({organ})" if organ != text.strip().lower() else ""
        wholes = sorted(self.vocabulary.ancestors(organ) & self._labels.keys())
        of_whole = f": it is part of {_listed(wholes)}, which has one" if wholes else self._of_group(organ)
        missing = list(self._missing_parts(organ, within)) if within else []
        of_parts += f", and none for {_listed(missing)}" if missing else ""
        near = "" if of_whole or within else self._nearest(organ)
        return f"{self.source} has no class for {quoted(text)}{called}{of_whole}{of_parts}{near}"

    def _of_group(self, organ: str) -> str:
        """Return the smallest group that an organ is part of and that may be asked for, in words."""
        unions = {name: self.union(name) for name in self.vocabulary.ancestors(organ)}
        groups = {name: union for name, union in unions.items() if union and union.whole and not union.missing}
        if not groups:
            return ""
        name = min(groups, key=lambda name: (len(self.vocabulary.descendants(name)), name))
        members = groups[name].names
        return f": it is part of {name}: ask for {_listed([name, *(members if len(members) < MOST_LISTED else ())])}"

    @cached_property
    def _all_names(self) -> list[str]:
        groups = [name for name, _ in self.unions()]
        names = [*dict.fromkeys([*self.names.values(), *groups])]
        return list(dict.fromkeys([*names, *(term for name in names for term in self.synonyms(name))]))

    def _why_unknown(self, text: str) -> str:
        """Return why a text is no name here, and what may be asked instead."""
        unknown = why_unknown(text, self.vocabulary)
        if unknown is None:
            return self._nearest(text)
        if unknown.organ is None:
            return unknown.reason
        within = {*self.vocabulary.descendants(unknown.organ), unknown.organ}
        known = [name for name in self._all_names if self.vocabulary.resolve(name) in within]
        return f"{unknown.reason}{_near(text, known, NEAR_WITHIN)}"

    def _nearest(self, text: str) -> str:
        return _near(text, self._all_names, NEAR)


def union_notice(prompt: SegmentPrompt, union: ClassUnion, source: str) -> str | None:
    """Return what a user is told of a prompt that means other words or several classes, or not all that it names."""
    if prompt.text.lower() in (*map(str.lower, union.names), *map(str.lower, union.labels)) and len(union.names) == 1:
        return None
    notice = f"{quoted(prompt.text)} was taken as {_listed(union.names, ' + ')}, as the anatomy vocabulary has it"
    if union.missing:
        notice += f"; {source} has no class for {_listed(union.missing)}, so its mask is not all of it"
    elif not union.whole:
        notice += "; it is more than these, so its mask is not all of it"
    return notice


def union_notices(prompts: Sequence[SegmentPrompt], unions: Sequence[ClassUnion], source: str) -> list[str]:
    """Return what a user is told of these prompts, whose classes are given."""
    notices = (union_notice(prompt, union, source) for prompt, union in zip(prompts, unions, strict=True))
    return [notice for notice in notices if notice]


def _joined(unions: Sequence[ClassUnion]) -> ClassUnion:
    if len(unions) == 1:
        return unions[0]
    labels, names, missing = (
        tuple(dict.fromkeys(value for values in parts for value in values))
        for parts in zip(*((union.labels, union.names, union.missing) for union in unions), strict=True)
    )
    return ClassUnion(labels, names, missing, all(union.whole for union in unions))


def _near(text: str, names: Sequence[str], cutoff: float) -> str:
    by_lower = {name.lower(): name for name in names}
    near = get_close_matches(" ".join(text.lower().split())[:MOST_COMPARED], by_lower, n=3, cutoff=cutoff)
    return f"; near: {', '.join(by_lower[name] for name in near)}" if near else ""


def _is_lesion(name: str) -> bool:
    return bool({"cyst", "cysts"} & set(name.split()))


def _listed(names: Sequence[str], between: str = ", ") -> str:
    more = f"{between}{len(names) - MOST_LISTED} more" if len(names) > MOST_LISTED else ""
    return between.join(names[:MOST_LISTED]) + more
