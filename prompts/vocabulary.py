"""The anatomy vocabulary: the names of organs, what they are part of, and where a text mentions them."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from .entries import Entry, Organ, VocabularyError, closure, read_entries
from .terms import Relation, TermForm, TermKind, TermMatch, Terms, build_term_table
from .words import Words, label_in_words, lookup_key

__all__ = ["ORGANS_FILE", "Mention", "Organ", "Vocabulary", "VocabularyError", "load_vocabulary"]

ORGANS_FILE = Path(__file__).with_name("organs.yaml")
# Words that say nothing about which structure is meant ("lobe on the left side", "rib number 5").
_FILLING = frozenset({"of", "on", "number", "side", "the"})


@dataclass(frozen=True, slots=True)
class Mention:
    """A passage ``text[start:end]`` that names one organ, or several at once ("thoracolumbar spine").

    ``adjective``: it stands before another noun ("renal"). ``finding``: it names the organ with what it has.
    """

    start: int
    end: int
    names: tuple[str, ...]
    adjective: bool
    text: str
    finding: bool = False


class Vocabulary:
    """All organs by canonical name, and the matcher over all of their names.

    ``table`` maps lookup keys to what they stand for (see ``build_term_table``), ``base`` words to base forms.
    """

    def __init__(
        self, organs: Mapping[str, Organ], table: Mapping[str, TermMatch | None], base: Mapping[str, str]
    ) -> None:
        self.organs = organs
        self._table = table
        self._base = base
        self._shared_parts: dict[tuple[str, str], frozenset[str]] = {}
        self._names = {name.lower(): name for name in organs}
        self._classes = _classes(organs)
        self._ancestors = closure({name: organ.parents for name, organ in organs.items()})
        descendants: dict[str, set[str]] = {name: set() for name in organs}
        for name, ancestors in self._ancestors.items():
            for ancestor in ancestors:
                descendants[ancestor].add(name)
        self._descendants = {name: frozenset(below) for name, below in descendants.items()}

    def resolve(self, name: str) -> str | None:
        """Return the canonical name for a name, synonym, adjective or TotalSegmentator class; None if it is unknown.

        Case, hyphens and spaces do not matter; a label of joined words ("SpinalCord") is read as these. A term for
        several organs at once resolves to none of them.
        """
        lower_name = name.strip().lower()
        if organ := self._classes.get(lower_name) or self._names.get(lower_name):
            return organ
        match = self._table.get(lookup_key(name, self._base))
        if match is None and (apart := label_in_words(name)) != name:
            match = self._table.get(lookup_key(apart, self._base))
        return match.names[0] if match and len(match.names) == 1 and match.kind != "finding" else None

    def words_of(self, text: str) -> list[str]:
        """Return the words of a text as base forms, in lower case: "Lt. kidneys" is left, kidney."""
        return Words(text, self._base).tokens

    def resolve_in_any_order(self, name: str) -> str | None:
        """Return the organ that has a noun of the same words in another order ("vertebra L1"); None if none has."""
        return self._by_words.get(_bag(self.words_of(name)))

    def relation_of(self, name: str) -> Relation | None:
        """Return how what a noun names lies to the organ that it resolves to; None if it is the organ itself.

        Words may stand in any order: "dens of C2" and "C2 dens" are both narrower than the vertebra.
        """
        match = self._table.get(lookup_key(name, self._base))
        return match.relation if match else self._relations_by_words.get(_bag(self.words_of(name)))

    @cached_property
    def _by_words(self) -> dict[tuple[str, ...], str | None]:
        """The organ of each noun's words, sorted; None where nouns of several organs have the same words."""
        organs: dict[tuple[str, ...], str | None] = {}
        for bag, match in self._nouns_by_words:
            organ = match.names[0]
            organs[bag] = organ if organs.get(bag, organ) == organ else None
        return organs

    @cached_property
    def _relations_by_words(self) -> dict[tuple[str, ...], Relation | None]:
        """The relation of each noun's words, sorted; None where nouns of the same words have several."""
        relations: dict[tuple[str, ...], Relation | None] = {}
        for bag, match in self._nouns_by_words:
            relations[bag] = match.relation if relations.get(bag, match.relation) == match.relation else None
        return relations

    @property
    def _nouns_by_words(self) -> Iterator[tuple[tuple[str, ...], TermMatch]]:
        return (
            (_bag(key.split()), match)
            for key, match in self._table.items()
            if match and match.kind == "term" and len(match.names) == 1
        )

    def names_of(self, term: str) -> tuple[str, ...] | None:
        """Return the organs that a whole term stands for; () for a phrase about none, None for an unknown term."""
        match = self._table.get(lookup_key(term, self._base))
        return None if match is None else match.names

    def find(self, text: str, *, findings: bool = False) -> list[Mention]:
        """Return all mentions in order: leftmost first, then longest, none overlapping another.

        With ``findings`` also the words that name an organ together with what it has ("mediastinal lymphadenopathy").
        They say more than the organ's name, so they are no synonyms of it.
        """
        words = Words(text, self._base)
        tokens, table = words.tokens, self._table
        mentions: list[Mention] = []
        index = 0
        while index < len(tokens):
            longest = self._longest_match(words, index, findings) if tokens[index] in table else None
            if longest is None:
                index += 1
                continue
            match, after = longest
            if match.names:
                start, end = words.starts[index], words.ends[after - 1]
                plural = text[end - 1] in "sS" and not tokens[after - 1].endswith("s")
                adjective = match.kind == "adjective" and not plural  # "coronary" is one, "coronaries" is not
                mentions.append(Mention(start, end, match.names, adjective, text[start:end], match.kind == "finding"))
            index = after
        return mentions

    def _longest_match(self, words: Words, index: int, findings: bool) -> tuple[TermMatch, int] | None:
        """Return the longest term that begins at ``index``, and the index behind it."""
        key, after, longest = words.tokens[index], index + 1, None
        while True:
            match = self._table[key]
            if match and (findings or match.kind != "finding") and self._fits(match, words, after):
                longest = match, after
            if not words.continues_phrase(after):
                return longest
            key = f"{key} {words.tokens[after]}"
            if key not in self._table:
                return longest
            after += 1

    def _fits(self, match: TermMatch, words: Words, after: int) -> bool:
        """Return whether a match may end before ``after``.

        "L4 5 mm" is no disc, and "lung right" no lung where the side belongs to what follows ("right upper lobe").
        """
        last = words.tokens[after - 1]
        if last.isdigit():
            return not words.is_measurement(after - 1)
        if not match.side_last or not words.continues_phrase(after):
            return True
        return f"{last} {words.tokens[after]}" not in self._table

    def shared_parts(self, organ: str, other: str) -> frozenset[str]:
        """Return the parts that two organs share, the largest: spine and cervical spine share the cervical spine.

        Raises KeyError for an unknown name.
        """
        if (parts := self._shared_parts.get((organ, other))) is not None:
            return parts
        shared = (self._descendants[organ] | {organ}) & (self._descendants[other] | {other})
        parts = frozenset(name for name in shared if self._ancestors[name].isdisjoint(shared))
        self._shared_parts[organ, other] = parts
        return parts

    def sided(self, name: str) -> tuple[str, str] | None:
        """Return the (left, right) names of a group such as ``kidneys``, else None. Raises KeyError if unknown."""
        return self.organs[name].sides

    def ancestors(self, name: str) -> frozenset[str]:
        """Return all organs that this one is part of, without itself. Raises KeyError for an unknown name."""
        return self._ancestors[name]

    def descendants(self, name: str) -> frozenset[str]:
        """Return all organs that are part of this one, without itself. Raises KeyError for an unknown name."""
        return self._descendants[name]

    def filed_under(self, name: str) -> str:
        """Return the organ under which captions about ``name`` are filed: itself, or the organ that it is part of."""
        return self.organs[name].part_of or name

    def related(self, organ: str, other_organ: str) -> bool:
        """Return whether two organs are the same, or one is part of the other. Raises KeyError for an unknown name."""
        if organ == other_organ:
            return True
        return organ in self._ancestors[other_organ] or other_organ in self._ancestors[organ]


def _bag(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(word for word in words if word not in _FILLING))


def load_vocabulary(path: Path | None = None) -> Vocabulary:
    """Load and check a vocabulary file, by default the shipped one, which is loaded once.

    Raises VocabularyError where the file cannot be read or an entry is wrong.
    """
    return _default() if path is None else _load(path)


@lru_cache(maxsize=1)
def _default() -> Vocabulary:
    return _load(ORGANS_FILE)


def _load(path: Path) -> Vocabulary:
    try:
        return build_vocabulary(read_entries(path))
    except VocabularyError as error:
        raise VocabularyError(f"{path}: {error}") from error.__cause__


def build_vocabulary(entries: Mapping[str, Entry]) -> Vocabulary:
    """Build a vocabulary from entries that were checked. Raises VocabularyError where two have the same term."""
    collecting = gc.isenabled()
    gc.disable()  # none of the many small objects built here is garbage; looking for it costs a third of the time
    try:
        terms = Terms(entries)
        organs = {name: _organ(name, entry, terms) for name, entry in terms.entries.items()}
        return Vocabulary(organs, build_term_table(terms), terms.base)
    finally:
        if collecting:
            gc.enable()


def _organ(name: str, entry: Entry, terms: Terms) -> Organ:
    forms = (*terms.written_forms(name), *terms.derived_forms(name))
    synonyms = _texts(forms, "term")
    version_1 = entry.totalsegmentator if entry.totalsegmentator_v1 is None else entry.totalsegmentator_v1
    return Organ(
        name=name,
        totalsegmentator=entry.totalsegmentator,
        totalsegmentator_v1=version_1,
        snomed=entry.snomed,
        parents=entry.parents,
        terms=synonyms,
        narrower=_without(synonyms, _texts(forms, "term", "narrower")),
        broader=_without(synonyms, _texts(forms, "term", "broader")),
        related=_without(synonyms, _texts(forms, "term", "related")),
        adjectives=_texts(forms, "adjective"),
        findings=_texts(forms, "finding"),
        side=entry.side,
        sides=entry.sides,
        region=entry.region,
        part_of=entry.part_of,
        around=entry.around,
        lies_in=entry.lies_in,
        part_words=entry.part_words,
        cause_words=entry.cause_words,
        beside=entry.beside,
    )


def _texts(forms: Sequence[TermForm], kind: TermKind, relation: Relation | None = None) -> tuple[str, ...]:
    """Return each name once; a plural only where there is no singular of it, or it is the canonical name."""
    chosen = [form for form in forms if form.kind == kind and form.relation == relation]
    singular = {form.key for form in chosen if not form.plural}
    texts = [form.text for form in chosen if form is forms[0] or not form.plural or form.key not in singular]
    return tuple(dict.fromkeys(texts))


def _without(synonyms: Iterable[str], texts: Iterable[str]) -> tuple[str, ...]:
    known = {text.lower() for text in synonyms}
    return tuple(text for text in texts if text.lower() not in known)


def _classes(organs: Mapping[str, Organ]) -> dict[str, str]:
    """Return the organ of each TotalSegmentator class of either version, in lower case."""
    classes: dict[str, str] = {}
    for name, organ in organs.items():
        for label in {*organ.totalsegmentator, *organ.totalsegmentator_v1}:
            if (first_name := classes.setdefault(label.lower(), name)) != name:
                raise VocabularyError(f"{name}: TotalSegmentator class {label!r} also stands in {first_name!r}")
    return classes
