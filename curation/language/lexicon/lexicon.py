"""The radiology language lexicon: which phrases mean the same, and which of them change what a statement claims.

The phrases stand in ``lexicon.yaml``; here they are stemmed and laid into one trie.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from ..doubt_and_past_words import ADVERB_STEMS_INSIDE_HEDGES
from ..tokens import Token, stem, tokenize
from ..word_lists import DENIALS, REVERSING_PREFIX_STEMS
from .finding_kinds import general_kinds, next_above
from .lexicon_file import FLAGS, MODIFIERS, Cues, HedgeStrength, LexiconFile, read_lexicon_file, spelled_out
from .prefixes import prefixes_apart

Direction = Literal["before", "after"]
# Flags that all phrases of a synonym group share.
_SHARED_FLAGS = ("implied_organ", "attribute", "normality")
# Phrases with one of these do not say how an organ is.
_SILENT_FLAGS = frozenset(("recommendation", "reporting", "history"))
# A phrase matches also where these stand between its words: "ground-glass".
_MARKS_INSIDE_PHRASES = frozenset("-–—/'’")


@dataclass(slots=True)
class LexiconEntry:
    """Stores what a phrase means. All phrases of the same meaning share ``key``; ``parts`` are content stems."""

    key: str = ""
    words: tuple[str, ...] = ()  # content stems as they stand
    parts: tuple[str, ...] = ()  # the same, each by its key
    modifier: str | None = None  # severity, size, extent, quantity, density, morphology or time
    negation: Direction | None = None
    hedge: Direction | None = None
    strength: HedgeStrength | None = None  # of a hedge
    flags: set[str] = field(default_factory=set)  # pseudo_negation, scope_end, normality, reporting, ...
    organ: str | None = None
    wordings: tuple[tuple[str, ...], ...] = ()  # parts of all phrases of several words with the same meaning, in order
    kinds: frozenset[str] = frozenset()  # keys of all findings of which this is a kind
    joint: tuple[str, ...] = ()  # keys of the findings that it names at once ("hepatosplenomegaly")
    denied: bool = False  # it denies what it names ("nondilated")
    aspect: str | None = None  # the aspect of an organ that it names ("size", for "dimension")


class PhraseMatch(NamedTuple):
    """Tokens ``[start, end)`` are a phrase of ``entry``."""

    start: int
    end: int
    entry: LexiconEntry


class Lexicon:
    """Stores the phrases by their stems; ``matches`` finds the longest one at each place."""

    def __init__(self, content: LexiconFile) -> None:
        self.irregular = {stem(word): _base_form(base) for word, base in content.irregular.items()}
        self.numbers = content.numbers
        self._trie: dict[str, Any] = {}
        self._reporting = {word for phrase in content.reporting for word in self.stems(phrase)}
        self._add_groups(content)
        self._add_cues(content)
        for name, flag in FLAGS.items():
            for phrase in getattr(content, name):
                if flag != "normality" or phrase.split()[0] not in DENIALS:  # "no mass" denies, it does not praise
                    self._entry(phrase).flags.add(flag)
        self._add_organs(content.implied_organ, "implied_organ")
        self._add_organs(content.absent_organ, "absent_organ")
        for phrase in content.kind_phrases():
            self._entry(phrase)
        for finding, words in content.denied_words.items():
            for word in words:
                entry = self._entry(word)
                entry.key, entry.denied = self._entry(finding).key, True
        for name, aspect in content.aspects.items():
            for phrase in aspect.words:
                self._entry(phrase).aspect = name
        self._share_parts_and_organs()
        for group in content.synonyms:
            self._share_within(group)
        self._add_kinds(content)
        self._hide_what_is_mended()
        aspects = content.aspects.items()
        self.departures = {name: self._keys(aspect.departures) for name, aspect in aspects}
        self.opposites = {name: self._keys(aspect.opposites) for name, aspect in aspects}

    @property
    def words(self) -> frozenset[str]:
        """The stems of all words that occur in phrases."""
        words: set[str] = set()
        nodes = [self._trie]
        while nodes:
            children = {word: child for word, child in nodes.pop().items() if word}
            words.update(children)
            nodes.extend(children.values())
        return frozenset(words)

    def matches(self, stems: Sequence[str]) -> list[PhraseMatch]:
        """Return the longest matches from left to right, none overlapping; marks such as hyphens may stand in them."""
        matches: list[PhraseMatch] = []
        at, first_words = 0, self._trie
        has_non = "non" in stems
        while at < len(stems):
            node = first_words.get(stems[at])
            if node is None:
                at += 1
                continue
            if len(node) == 1 and "" in node:  # a phrase of one word, which begins no longer one
                matches.append(PhraseMatch(at, at + 1, node[""]))
                at += 1
                continue
            words = stems[: at + 1] if has_non and _is_behind_non(stems, at) else stems
            match = self._longest(words, at)
            if match is None or (match.end - at > 1 and self._hides_a_cue(match, stems)):
                at += 1
            else:
                matches.append(match)
                at = match.end
        return matches

    def _hides_a_cue(self, match: PhraseMatch, stems: Sequence[str]) -> bool:
        """Tell whether a phrase that says nothing itself hides a cue that reaches on: "clinically [correlate for]"."""
        entry = match.entry
        if entry.flags.isdisjoint(_SILENT_FLAGS) or entry.negation or entry.hedge or entry.modifier:
            return False
        inner = (self._longest(stems, at) for at in range(match.start + 1, match.end))
        return any(cue is not None and cue.end > match.end and cue.entry.hedge for cue in inner)

    def stems(self, phrase: str) -> list[str]:
        """Return the stems of a phrase with irregular forms resolved and marks left out."""
        return [self.base(token) for token in tokenize(phrase) if token.word[0].isalnum()]

    def base(self, token: Token) -> str:
        """Return the stem that all forms of a word share, irregular ones and number words included."""
        return self.base_of(token.word, token.stem)

    def base_of(self, word: str, stem: str) -> str:
        """Return the base of a word with its stem."""
        return str(self.numbers[word]) if word in self.numbers else self.irregular.get(stem, stem)

    def with_prefixes_apart(self, tokens: list[Token]) -> list[Token]:
        """Return the tokens with "non" apart from a word that the lexicon lists, and "post" from an operation.

        A word that it lists as it stands ("nondilated", "postoperative") stays whole.
        """
        return prefixes_apart(tokens, lambda token: self._entry_of_word(self.base(token)) is not None)

    def canonical(self, word: str) -> str:
        """Return the key of a single stem, or the stem itself where the lexicon does not list it."""
        entry = self._entry_of_word(word)
        return entry.key if entry is not None else word

    def _longest(self, stems: Sequence[str], at: int) -> PhraseMatch | None:
        node: dict[str, Any] = self._trie
        best: LexiconEntry | None = None
        end = at
        index, is_loose = at, False  # loose: an adverb stands inside, as it may in a hedge
        count = len(stems)
        while index < count:
            following: dict[str, Any] | None = node.get(stems[index])
            if following is None:  # no phrase has a mark of these as a word
                is_mark = stems[index] in _MARKS_INSIDE_PHRASES
                if index == at or not (is_mark or stems[index] in ADVERB_STEMS_INSIDE_HEDGES):
                    break
                is_loose = is_loose or not is_mark
                index += 1
                continue
            node = following
            index += 1
            entry = node.get("")
            if entry is not None and (not is_loose or entry.hedge):
                best, end = entry, index
        return None if best is None else PhraseMatch(at, end, best)

    def _entry(self, phrase: str) -> LexiconEntry:
        """Return the entry of a phrase, which is made where there is none."""
        stems = self.stems(phrase)
        node = self._trie
        for word in stems:
            node = node.setdefault(word, {})
        entry: LexiconEntry = node.setdefault("", LexiconEntry())
        if not entry.key:
            entry.key = " ".join(stems)
        if len(stems) > 1 and not entry.words and stems[0] not in REVERSING_PREFIX_STEMS:
            entry.words = tuple(word for word in stems if word not in self._reporting)
        return entry

    def _keys(self, phrases: Iterable[str]) -> frozenset[str]:
        return frozenset(self._entry(phrase).key for phrase in phrases)

    def _entry_of_word(self, word: str) -> LexiconEntry | None:
        entry: LexiconEntry | None = self._trie.get(word, {}).get("")
        return entry

    def _entries(self) -> Iterator[LexiconEntry]:
        nodes = [self._trie]
        while nodes:
            node = nodes.pop()
            nodes.extend(child for word, child in node.items() if word)
            if "" in node:
                yield node[""]

    def _add_groups(self, content: LexiconFile) -> None:
        for group in content.synonyms:
            key = " ".join(self.stems(group[0]))
            for phrase in group:
                self._entry(phrase).key = key
        for modifier in MODIFIERS:
            for name, phrases in getattr(content, modifier).items():
                for phrase in phrases:
                    entry = self._entry(phrase)
                    entry.key, entry.modifier = f"{modifier}:{name}", modifier

    def _add_cues(self, content: LexiconFile) -> None:
        for direction, phrase in _directed(content.negations):
            self._entry(phrase).negation = direction
        for strength, cues in content.hedges.items():
            for direction, phrase in _directed(cues):
                for wording in spelled_out(phrase, content.cue_words):
                    entry = self._entry(wording)
                    entry.hedge, entry.strength = direction, strength

    def _add_organs(self, organs: Mapping[str, str], flag: str) -> None:
        for phrase, organ in organs.items():
            entry = self._entry(phrase)
            entry.flags.add(flag)
            entry.organ = organ

    def _share_parts_and_organs(self) -> None:
        """Give each entry the keys of its words, and the organ of one of them where it has none of its own."""
        for entry in self._entries():
            entry.parts = tuple(self.canonical(word) for word in entry.words)
            if entry.organ is None and entry.negation is None and not entry.flags:
                words = map(self._entry_of_word, entry.words)
                entry.organ = next((word.organ for word in words if word is not None and word.organ), None)

    def _share_within(self, group: Sequence[str]) -> None:
        """Give all phrases of a synonym group what one of them has: organ, flags, modifier and wordings."""
        entries = [self._entry(phrase) for phrase in group]
        organ = next((entry.organ for entry in entries if entry.organ), None)
        wordings = tuple(sorted({entry.parts for entry in entries if len(entry.parts) > 1}))
        modifier = next((entry for entry in entries if entry.modifier), None)
        aspect = next((entry.aspect for entry in entries if entry.aspect), None)
        flags = {flag for flag in _SHARED_FLAGS if any(flag in entry.flags for entry in entries)}
        is_operation = "operation" in entries[0].flags
        for entry in entries:
            if is_operation and len(entry.words) > 1:
                entry.flags.add("operation")
            entry.organ = entry.organ or organ
            entry.flags |= flags
            entry.wordings = wordings
            entry.aspect = aspect
            if modifier is not None:
                entry.key, entry.modifier = modifier.key, modifier.modifier

    def _add_kinds(self, content: LexiconFile) -> None:
        """Give each finding the keys of what it is a kind of, and of the findings that it names at once."""
        for phrase, names in content.joint_findings.items():
            self._entry(phrase).joint = tuple(self._entry(name).key for name in names)
        parents = next_above(content, lambda phrase: self._entry(phrase).key, self._last_key)
        kinds = general_kinds(parents)
        for entry in self._entries():
            entry.kinds = kinds.get(entry.key, frozenset())

    def _hide_what_is_mended(self) -> None:
        """Leave operations without words where one names a finding, which is mended: a "hernia repair" is no hernia."""
        findings = {word for word, node in self._trie.items() if "" in node and "finding" in node[""].flags}
        for entry in self._entries():
            if "operation" in entry.flags and not findings.isdisjoint(entry.words):
                entry.words, entry.parts, entry.wordings = (), (), ()

    def _last_key(self, phrase: str) -> str:
        """Return the key of the last word of a phrase."""
        return self.canonical(self.stems(phrase)[-1])


def _is_behind_non(stems: Sequence[str], at: int) -> bool:
    """Tell whether a word has a "non" before it, which denies it alone: "non-perforated appendicitis"."""
    return stems[at - 1 : at] == ["non"] or stems[max(at - 2, 0) : at] == ["non", "-"]


def _base_form(word: str) -> str:
    """Return the stem to which ``irregular`` maps a form; a base of several words stays as it is written."""
    return stem(word) if " " not in word else word


def _directed(cues: Cues) -> Iterator[tuple[Direction, str]]:
    yield from (("before", phrase) for phrase in cues.before)
    yield from (("after", phrase) for phrase in cues.after)


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """Load the lexicon that ships with ``ovct``, once for each process."""
    return Lexicon(read_lexicon_file())
