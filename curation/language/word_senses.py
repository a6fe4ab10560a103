"""Which organ a word with several senses names: its neighbours decide, as the vocabulary tells of each such word.

Three kinds are told apart. A part of anything ("neck", "apex") names an organ of its own only where it is not that of
something else: "the hernia neck" is no neck. An adjective may name only the cause of a disease that has its place
elsewhere: "vascular leukoencephalopathy" is in no vessel. Other words mean another organ beside certain words, or
beside a relative of that organ: "cervical lordosis" is of the spine, "cervical cancer" of the uterus.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from prompts.vocabulary import Vocabulary

from .lexicon.lexicon import PhraseMatch
from .mentions import OrganMention
from .tokens import Token, stem
from .word_lists import ARTICLES, CLAUSE_ENDS, SIDES, VERBS

_SIDES = SIDES.keys() | {"l", "r", "lt", "rt"}
_REACH_OF_WHOLE = 4
"""Tokens behind "of" within which the whole stands that a part belongs to: "the neck of the large aneurysm"."""
_REACH_OF_HAVING = 5
"""Tokens before a part within which "with" stands: "with a 3 cm neck"."""
# Between two organs, they show that the second is no part of the first.
_NEW_SUBJECT = (CLAUSE_ENDS - {":", ","}) | {"and", "or"}
# Between "with" and a part they show that it is another thing that is there: "with a stone in the neck".
_NO_PART_OF_A_NOUN = CLAUSE_ENDS | {"in", "at", "of", "on", "to", "and", "or", "near", "involving"}
_BEFORE_A_WHOLE = frozenset(("of", "for"))
_ADJECTIVE_ENDINGS = ("ed", "ing", "al", "ic", "ous", "ive", "ar", "ary", "ent", "ant")

# Words that name a part of the spine where its level is named: "L4-L5: canal patent".
_PARTS_AT_A_LEVEL = {"canal": "spinal canal"}
_BEFORE_A_PART = frozenset("mild moderate severe mildly moderately severely marked minimal central and or".split())
_TARGET = re.compile(r"T\d vertebra")
_MARKS_OF_ITEMS = frozenset("-–—:=")
_FARTHEST_PLACE = 5
"""Tokens behind the number of a target lesion within which its place begins."""
_BRANCHES = frozenset("branch branches tributary tributaries".split())
LEVEL = re.compile(r"\b[CTLS]\d{1,2}\b")
"""How the names of vertebrae and of the discs between them begin."""

# Phrases of the lexicon with one of these flags are no thing that could have parts.
_FLAGS_OF_NO_THING = frozenset(
    ("normality", "reporting", "limitation", "recommendation", "history", "scope_end", "exception", "attribute")
)


class _Sense(NamedTuple):
    """An organ that a word means beside one of the words with these stems."""

    organ: str
    stems: frozenset[str]


class WordSenses:
    """Settles the senses of the ambiguous words of one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._parts: defaultdict[str, set[str]] = defaultdict(set)
        self._causes: defaultdict[str, set[str]] = defaultdict(set)
        self._senses: defaultdict[str, list[_Sense]] = defaultdict(list)
        for name, organ in vocabulary.organs.items():
            for word in organ.part_words:
                self._parts[word].add(name)
            for word in organ.cause_words:
                self._causes[word].add(name)
            for word, neighbors in organ.beside.items():
                self._senses[word].append(_Sense(name, frozenset(map(stem, neighbors))))
        self._words = self._parts.keys() | self._causes.keys() | self._senses.keys()

    def settle(
        self, mentions: Sequence[OrganMention], tokens: Sequence[Token], matches: Sequence[PhraseMatch]
    ) -> list[OrganMention]:
        """Return the mentions of a statement, without those whose word names no organ here, each with its sense."""
        settled = []
        for mention in self._without_target_number(mentions, tokens):
            word = tokens[mention.end - 1].word
            if mention.adjective and mention.end < len(tokens) and tokens[mention.end].word in _BRANCHES:
                continue  # "the first jejunal branch" is no part of the jejunum
            if word in self._words:
                if word in self._parts and self._is_part_of_another(mention, mentions, tokens, matches):
                    continue
                if word in self._parts and not self._take_whole(mention, mentions, tokens):
                    continue
                if word in self._causes and self._is_cause(mention, matches):
                    continue
                sides = tokens[mention.start : mention.end - 1]
                if word in self._senses and all(token.word in _SIDES for token in sides):
                    self._choose(mention, mentions, tokens)
            settled.append(mention)
        return self._with_parts_at_level(settled, tokens, matches)

    def _without_target_number(
        self, mentions: Sequence[OrganMention], tokens: Sequence[Token]
    ) -> Sequence[OrganMention]:
        """Return the mentions without the number of a target lesion before its place: "T2 - left hilar node: 12 mm"."""
        if len(mentions) < 2 or tokens[mentions[0].end].word not in _MARKS_OF_ITEMS:
            return mentions
        number, place = mentions[0], mentions[1]
        opens = all(not token.word.isalpha() or token.word in ("mm", "cm") for token in tokens[: number.start])
        if not opens or not _TARGET.fullmatch(number.names[0]) or place.start > number.end + _FARTHEST_PLACE:
            return mentions
        beside = [self._vocabulary.ancestors(name) | {name} for name in place.names]
        is_of_spine = any(not {"spine", "ribs", "spinal cord", "vertebrae"}.isdisjoint(names) for names in beside)
        return mentions if is_of_spine else mentions[1:]

    def _with_parts_at_level(
        self, mentions: list[OrganMention], tokens: Sequence[Token], matches: Sequence[PhraseMatch]
    ) -> list[OrganMention]:
        """Return the mentions with the bare words for a part of the spine, where its level is named."""
        if not any(LEVEL.match(name) for mention in mentions for name in mention.names):
            return mentions
        spans = [(mention.start, mention.end) for mention in mentions] + [(match.start, match.end) for match in matches]
        covered = {index for start, end in spans for index in range(start, end)}
        for index, token in enumerate(tokens):
            name = _PARTS_AT_A_LEVEL.get(token.word)
            before = tokens[index - 1].word if index else ""
            is_bare = before in ARTICLES or before in _BEFORE_A_PART or not before.isalpha()
            if name and index not in covered and is_bare:
                mentions.append(OrganMention(index, index + 1, (name,)))
        return sorted(mentions, key=lambda mention: mention.start)

    def _is_part_of_another(
        self,
        mention: OrganMention,
        mentions: Sequence[OrganMention],
        tokens: Sequence[Token],
        matches: Sequence[PhraseMatch],
    ) -> bool:
        """Tell whether a part is that of a finding or of an unrelated organ: "hernia neck", "apex of the prostate"."""
        if not self._has_word(self._parts[tokens[mention.end - 1].word], mention):
            return False
        before = mention.start - 1
        if before > 0 and tokens[before].word == "-":
            before -= 1
        if self._is_whole(before, mention, mentions, tokens, matches):
            return True
        if self._is_had(mention, mentions, tokens, matches):
            return True
        if mention.end >= len(tokens) or tokens[mention.end].word not in _BEFORE_A_WHOLE:
            return False
        for index in range(mention.end + 1, min(len(tokens), mention.end + 1 + _REACH_OF_WHOLE)):
            if self._is_whole(index, mention, mentions, tokens, matches):
                return True
            word = tokens[index].word
            if word not in ARTICLES and word not in SIDES and not word.endswith(_ADJECTIVE_ENDINGS):
                return word.isalpha() and not any(m.start <= index < m.end for m in mentions)  # "the eye of the needle"
        return False

    def _take_whole(self, part: OrganMention, mentions: Sequence[OrganMention], tokens: Sequence[Token]) -> bool:
        """Give a part the organ before it that has such a part: "the gallbladder with a stone in the neck".

        Tell whether it still names an organ: "the hilum" of a mass in the spleen is that of no lung.
        """
        whole = next((other for other in reversed(mentions) if other.end <= part.start and not other.place), None)
        if whole is None or part.end - part.start > 1 or self._related(whole, part):
            return True
        joined = [at for at in range(whole.end, part.start) if tokens[at].word in _NEW_SUBJECT]
        if any(tokens[at + 1].word not in VERBS for at in joined) or tokens[part.start - 1].word != "the":
            return True
        word = tokens[part.start].word
        for name in whole.names:
            own = self._vocabulary.resolve(f"{name} {word}") or self._vocabulary.resolve(f"{word} of the {name}")
            if own is not None and self._vocabulary.related(own, name):
                part.names = (own,)
                return own == name or word in own.split()  # of the porta hepatis the liver says enough
        lies = [self._vocabulary.ancestors(mention.names[0]) for mention in (whole, part)]
        return self._vocabulary.organs[part.names[0]].region or not lies[0].isdisjoint(lies[1])

    def _is_had(
        self,
        part: OrganMention,
        mentions: Sequence[OrganMention],
        tokens: Sequence[Token],
        matches: Sequence[PhraseMatch],
    ) -> bool:
        """Tell whether something has the part: "an aneurysm with a wide neck", "a hernia with a 3 cm neck"."""
        at = part.start - 1
        while at >= 0 and part.start - at <= _REACH_OF_HAVING and tokens[at].word != "with":
            if tokens[at].word in _NO_PART_OF_A_NOUN or any(m.start <= at < m.end for m in mentions):
                return False
            at -= 1
        return at > 0 and tokens[at].word == "with" and self._is_whole(at - 1, part, mentions, tokens, matches)

    def _is_whole(
        self,
        at: int,
        part: OrganMention,
        mentions: Sequence[OrganMention],
        tokens: Sequence[Token],
        matches: Sequence[PhraseMatch],
    ) -> bool:
        """Tell whether the token at ``at`` is of an organ unrelated to ``part``, or of a noun that is a finding."""
        if at < 0 or tokens[at].word.endswith(_ADJECTIVE_ENDINGS):
            return any(m.start <= at < m.end and not self._related(m, part) for m in mentions if m is not part)
        if any(m.start <= at < m.end for m in mentions):
            return any(m.start <= at < m.end and not self._related(m, part) for m in mentions)
        return any(match.start <= at < match.end and _is_thing(match) for match in matches)

    def _is_cause(self, mention: OrganMention, matches: Sequence[PhraseMatch]) -> bool:
        """Tell whether an adjective stands before a disease of an organ unrelated to its own."""
        if not mention.adjective:
            return False
        disease = next((match for match in matches if match.start == mention.end and match.entry.organ), None)
        organ = self._vocabulary.resolve(disease.entry.organ) if disease and disease.entry.organ else None
        return organ is not None and not any(self._vocabulary.related(organ, name) for name in mention.names)

    def _choose(self, mention: OrganMention, mentions: Sequence[OrganMention], tokens: Sequence[Token]) -> None:
        """Give a mention the organ that its clause decides for; its own where nothing does."""
        start, end = _clause(tokens, mention)
        if end == mention.end and end < len(tokens) - 1 and tokens[end].word == ":":  # a label: "Basilar: patent"
            end = next((at for at in range(end + 1, len(tokens)) if tokens[at].word in CLAUSE_ENDS), len(tokens))
        stems = {token.stem for token in tokens[start:end]}
        label = next((at for at in range(start) if tokens[at].word == ":"), 0)  # "Sinuses: polyp, left maxillary"
        others = [m for m in mentions if m is not mention and (start <= m.start < end or m.start < label)]
        word = tokens[mention.end - 1].word
        for sense in self._senses[word]:
            if not sense.stems.isdisjoint(stems) or any(self._is_kin(sense.organ, other) for other in others):
                pair, sides = self._vocabulary.sided(sense.organ), self._sides(mention)
                mention.names = pair if pair and len(sides) > 1 else (sense.organ,)
                if pair and len(sides) == 1:
                    mention.names = (pair[0 if sides == {"left"} else 1],)
                mention.adjective |= word in sense.organ.split()[:-1]
                return

    def _sides(self, mention: OrganMention) -> set[str]:
        return {side for name in mention.names if (side := self._vocabulary.organs[name].side)}

    def _is_kin(self, organ: str, other: OrganMention) -> bool:
        """Tell whether a mention is of an organ that ``organ`` is a part of, or of a part of it."""
        names = [name for name in other.names if not self._vocabulary.organs[name].region]
        if any(self._vocabulary.related(organ, name) for name in names):
            return True
        above = self._vocabulary.ancestors(organ)
        return "vessels" in above and any(  # of one family: "Basilar/PCAs: …"
            not set(self._vocabulary.organs[organ].parents).isdisjoint(self._vocabulary.ancestors(name))
            for name in names
        )

    def _has_word(self, organs: set[str], mention: OrganMention) -> bool:
        """Tell whether a mention is of one of these organs, or of one of its sides."""
        return any(
            name in organs or not organs.isdisjoint(self._vocabulary.organs[name].parents) for name in mention.names
        )

    def _related(self, mention: OrganMention, other: OrganMention) -> bool:
        return any(self._vocabulary.related(name, own) for name in mention.names for own in other.names)


def _clause(tokens: Sequence[Token], mention: OrganMention) -> tuple[int, int]:
    """Return the first token of the clause that a mention stands in, and the index behind its last."""
    start, end = mention.start, mention.end
    while start > 0 and tokens[start - 1].word not in CLAUSE_ENDS:
        start -= 1
    while end < len(tokens) and tokens[end].word not in CLAUSE_ENDS:
        end += 1
    return start, end


def _is_thing(match: PhraseMatch) -> bool:
    """Tell whether a phrase of the lexicon is a finding, and no cue or quality."""
    entry = match.entry
    is_quality = entry.modifier or entry.negation or entry.hedge or not entry.flags.isdisjoint(_FLAGS_OF_NO_THING)
    return not is_quality
