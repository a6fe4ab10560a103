"""The radiology language lexicon: which phrases mean the same, and which of them change what a statement claims.

The phrases live in ``lexicon.yaml``; here they are checked, stemmed and laid into one trie.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict

from .tokens import Token, stem, tokenize

Direction = Literal["before", "after"]


class Cues(BaseModel):
    """Phrases that stand before or after what they act on."""

    model_config = ConfigDict(extra="forbid")
    before: list[str]
    after: list[str]


class LexiconFile(BaseModel):
    """What ``lexicon.yaml`` may hold."""

    model_config = ConfigDict(extra="forbid")
    synonyms: list[list[str]]
    irregular: dict[str, str]
    numbers: dict[str, int]
    severity: dict[str, list[str]]
    size: dict[str, list[str]]
    extent: dict[str, list[str]]
    quantity: dict[str, list[str]]
    density: dict[str, list[str]]
    morphology: dict[str, list[str]]
    time: dict[str, list[str]]
    hedges: dict[Literal["uncertain", "attributive"], Cues]
    negations: Cues
    pseudo_negations: list[str]
    scope_ends: list[str]
    normality: list[str]
    absent_organ: dict[str, str]
    implied_organ: dict[str, str]
    reporting: list[str]
    limitation: list[str]
    recommendation: list[str]
    history: list[str]
    exceptions: list[str]
    attributes: list[str]
    findings: list[str]


@dataclass(slots=True)
class Entry:
    """What one phrase means. ``key`` is shared by all phrases of the same meaning; ``parts`` are its content stems."""

    key: str = ""
    words: tuple[str, ...] = ()  # content stems as they stand
    parts: tuple[str, ...] = ()  # the same, each by its key
    modifier: str | None = None  # severity, size, extent, quantity, density, morphology or time
    negation: Direction | None = None
    hedge: Direction | None = None
    attributive: bool = False
    flags: set[str] = field(default_factory=set)  # pseudo_negation, scope_end, normality, reporting, ...
    organ: str | None = None
    wordings: set[tuple[str, ...]] = field(default_factory=set)  # content stems of all phrases of the same meaning
    several: tuple[tuple[str, ...], ...] = ()  # those of several words, in order


class Match(NamedTuple):
    """Tokens ``[start, end)`` say ``entry``."""

    start: int
    end: int
    entry: Entry


_MODIFIERS = ("severity", "size", "extent", "quantity", "density", "morphology", "time")
_FLAGS = {
    "pseudo_negations": "pseudo_negation",
    "scope_ends": "scope_end",
    "normality": "normality",
    "reporting": "reporting",
    "limitation": "limitation",
    "recommendation": "recommendation",
    "history": "history",
    "exceptions": "exception",
    "attributes": "attribute",
    "findings": "finding",
}


class Lexicon:
    """Phrases by their stems. ``matches`` finds the longest at each place."""

    def __init__(self, content: LexiconFile) -> None:
        self.irregular = {stem(word): self._base(base) for word, base in content.irregular.items()}
        self.numbers = content.numbers
        self._trie: dict[str, Any] = {}
        self.words: set[str] = set()
        self._reporting = {word for phrase in content.reporting for word in self.stems(phrase)}
        self._add_groups(content)
        self._add_cues(content)
        for name, flag in _FLAGS.items():
            for phrase in getattr(content, name):
                if flag != "normality" or phrase.split()[0] not in _DENIALS:  # "no mass" denies, it does not praise
                    self._entry(phrase).flags.add(flag)
        self._add_organs(content.implied_organ, "implied_organ")
        self._add_organs(content.absent_organ, "absent_organ")
        self._share(content.synonyms)

    def matches(self, stems: Sequence[str]) -> list[Match]:
        """Longest matches from left to right, non-overlapping. Marks such as hyphens may stand inside a phrase."""
        found: list[Match] = []
        at = 0
        while at < len(stems):
            match = self._longest(stems, at)
            if match is None:
                at += 1
            else:
                found.append(match)
                at = match.end
        return found

    def stems(self, phrase: str) -> list[str]:
        """Stems of a phrase with irregular forms resolved and marks left out."""
        return [self.base(token) for token in tokenize(phrase) if token.word[0].isalnum()]

    def base(self, token: Token) -> str:
        """The stem that all forms of a word share, irregular ones and number words included."""
        if token.word in self.numbers:
            return str(self.numbers[token.word])
        return self.irregular.get(token.stem, token.stem)

    @staticmethod
    def _base(word: str) -> str:
        return stem(word.split()[0]) if " " not in word else word

    def _longest(self, stems: Sequence[str], at: int) -> Match | None:
        node: dict[str, Any] | None = self._trie
        best: Match | None = None
        index = at
        while index < len(stems):
            if stems[index] in _GLUE and index > at:
                index += 1
                continue
            node = node.get(stems[index]) if node else None
            if node is None:
                break
            index += 1
            entry = node.get("")
            if entry is not None:
                best = Match(at, index, entry)
        return best

    def _entry(self, phrase: str) -> Entry:
        stems = self.stems(phrase)
        node = self._trie
        for word in stems:
            self.words.add(word)
            node = node.setdefault(word, {})
        entry: Entry = node.setdefault("", Entry())
        if not entry.key:
            entry.key = " ".join(stems)
        if len(stems) > 1 and not entry.words and stems[0] not in _PREFIXES:
            entry.words = tuple(word for word in stems if word not in self._reporting)
        return entry

    def _add_groups(self, content: LexiconFile) -> None:
        for group in content.synonyms:
            key = " ".join(self.stems(group[0]))
            for phrase in group:
                self._entry(phrase).key = key
        for modifier in _MODIFIERS:
            for name, phrases in getattr(content, modifier).items():
                for phrase in phrases:
                    entry = self._entry(phrase)
                    entry.key, entry.modifier = f"{modifier}:{name}", modifier

    def _share(self, groups: Sequence[Sequence[str]]) -> None:
        """What holds for one phrase of a group holds for all: its organ, and the words it may be taken apart into."""
        for entry in self._entries():
            entry.parts = tuple(self.canonical(word) for word in entry.words)
            if entry.organ is None and entry.negation is None and not entry.flags:
                entry.organ = next((o for word in entry.words if (o := self._organ_of(word))), None)
        for group in groups:
            entries = [self._entry(phrase) for phrase in group]
            organ = next((entry.organ for entry in entries if entry.organ), None)
            wordings = {entry.parts for entry in entries if entry.parts}
            modifier = next((entry for entry in entries if entry.modifier), None)
            flags = {
                flag
                for flag in ("implied_organ", "attribute", "normality")
                if any(flag in entry.flags for entry in entries)
            }
            for entry in entries:
                entry.organ = entry.organ or organ
                entry.flags |= flags
                entry.wordings = wordings
                entry.several = tuple(sorted(wording for wording in wordings if len(wording) > 1))
                if modifier is not None:
                    entry.key, entry.modifier = modifier.key, modifier.modifier

    def _organ_of(self, word: str) -> str | None:
        entry = self._trie.get(word, {}).get("")
        return entry.organ if entry is not None else None

    def canonical(self, word: str) -> str:
        """Key of a single stem, or the stem itself where the lexicon does not list it."""
        entry = self._trie.get(word, {}).get("")
        return entry.key if entry is not None else word

    def _entries(self) -> Iterator[Entry]:
        nodes = [self._trie]
        while nodes:
            node = nodes.pop()
            nodes.extend(child for word, child in node.items() if word)
            if "" in node:
                yield node[""]

    def _add_cues(self, content: LexiconFile) -> None:
        for direction, phrase in _directed(content.negations):
            self._entry(phrase).negation = direction
        for strength, cues in content.hedges.items():
            for direction, phrase in _directed(cues):
                entry = self._entry(phrase)
                entry.hedge, entry.attributive = direction, strength == "attributive"

    def _add_organs(self, organs: Mapping[str, str], flag: str) -> None:
        for phrase, organ in organs.items():
            entry = self._entry(phrase)
            entry.flags.add(flag)
            entry.organ = organ


_DENIALS = frozenset(("no", "not", "without", "never"))
# A phrase that begins so means the opposite of, or less than, its other words.
_PREFIXES = frozenset("no non not without un sub semi part partial near pre post less free lack absenc loss".split())
_GLUE = frozenset("-–—/'’")


def _directed(cues: Cues) -> Iterator[tuple[Direction, str]]:
    yield from _each("before", cues.before)
    yield from _each("after", cues.after)


def _each(direction: Direction, phrases: Iterable[str]) -> Iterator[tuple[Direction, str]]:
    return ((direction, phrase) for phrase in phrases)


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """The lexicon that ships with ``ovct``."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content = yaml.load(files("curation.language").joinpath("lexicon.yaml").read_text(encoding="utf-8"), Loader=loader)
    return Lexicon(LexiconFile.model_validate(content))
