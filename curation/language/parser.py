"""Parse one statement into what can be compared: organs, findings, measures and cues, in segments that belong together.

A segment is what stands between two commas, conjunctions or other breaks. "A 5 mm nodule in the right upper lobe and a
3 mm nodule in the left lower lobe" has two, and each keeps its own size and place. What a segment leaves out it takes
from its neighbours, as a reader does: "liver, spleen and pancreas are normal" says so of each (``clauses.py``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache, partial
from itertools import pairwise, zip_longest

from prompts.vocabulary import Vocabulary, load_vocabulary

from .anatomy import OrganFinder
from .assertion import Scopes
from .doubts.advice import with_advice_apart
from .imaging_words import WINDOW_NOUNS, ImagingName, imaging_names
from .lexicon.lexicon import Lexicon, PhraseMatch, load_lexicon
from .lexicon.spelling import Speller
from .mentions import OrganMention
from .numbers.measurements import Measure, find_measures
from .numbers.ranges import fill_ranges
from .numbers.roman_numerals import with_arabic_numerals
from .numbers.scores import cover_scores
from .parsed_statement import ParsedStatement, Segment, Term
from .past import comparisons, operations
from .structure.asides import cover_asides, covered_tokens, is_singular, side_of_ordinal, without_ratios
from .structure.respective_lists import pair_respective_lists
from .structure.side_frames import SideFrame, side_frame
from .terms import read_terms
from .tokens import Token, tokenize, with_conjunctions
from .word_lists import (
    COORDINATORS,
    FRAME_OPENERS,
    HARD_BREAKS,
    REPORTING_STEMS,
    SIDE_JOINERS,
    SUBJECT_PRONOUNS,
    VERBS,
)
from .word_senses import WordSenses

CACHED_STATEMENTS = 16_000
"""Statements and captions kept as parsed: enough for those that recur, and a bound on memory (about 7 kB each)."""


class StatementParser:
    """Parses statements with one vocabulary and one lexicon. Results are cached: reports repeat themselves."""

    def __init__(self, vocabulary: Vocabulary | None = None, lexicon: Lexicon | None = None) -> None:
        self.vocabulary = vocabulary or load_vocabulary()
        self.lexicon = lexicon or load_lexicon()
        self.organ_finder = OrganFinder(self.vocabulary)
        self.speller = Speller(self.lexicon.words, partial(_stems_of, self.vocabulary))
        self._word_senses = WordSenses(self.vocabulary)
        self._cached_stem = lru_cache(maxsize=CACHED_STATEMENTS)(self._stem)
        self._cached_parse = lru_cache(maxsize=CACHED_STATEMENTS)(self._parse)

    def parse(self, text: str) -> ParsedStatement:
        """Return a statement as parsed; the same object for the same text, which is not to be changed.

        A full stop at the end changes no reading but that of a window, which is a heading without it ("lung window").
        Captions have none where their statement has one: both are read at once.
        """
        if text.endswith(".") and text[-2:-1].isalnum():
            statement = self._cached_parse(text[:-1])
            if WINDOW_NOUNS.isdisjoint(statement.words):
                return statement.with_full_stop
        return self._cached_parse(text)

    def _stem(self, word: str, stem: str) -> str:
        """Return the stem that all forms of a word share, and its misspellings."""
        return self.speller.correct(self.lexicon.base_of(word, stem))

    def _parse(self, text: str) -> ParsedStatement:
        tokens = self.lexicon.with_prefixes_apart(
            with_arabic_numerals(with_advice_apart(with_conjunctions(tokenize(text))))
        )
        stems = [self._cached_stem(token.word, token.stem) for token in tokens]
        mentions = self.organ_finder.find(text, tokens)
        imaging = imaging_names(tokens, mentions)
        if imaging:
            mentions = [mention for mention in mentions if not any(_overlap(mention, name) for name in imaging)]
        if compared := comparisons(tokens, stems):  # "compared to the prior chest CT" says nothing of the chest
            mentions = [m for m in mentions if not any(start <= m.start < end for start, end in compared)]
        mentions = without_ratios(mentions, tokens)
        measures = find_measures(tokens, self.lexicon.numbers, _indices(mentions))
        matches = self.lexicon.matches(stems)
        mentions = self._word_senses.settle(mentions, tokens, matches)
        mentions = [mention for mention in mentions if not self._is_of_another_organ(mention, matches)]
        matches = _free_matches(matches, mentions, measures)
        covered = covered_tokens(tokens, stems, [*mentions, *matches, *measures])
        cover_scores(tokens, matches, covered)
        asides = cover_asides(tokens, covered)
        for name in imaging:
            covered[name.start : name.head] = [True] * (name.head - name.start)
        named = _indices(mentions)
        facts = operations(tokens, matches) | _indices(mention for mention in mentions if mention.device)
        subjects = frozenset(mention.start for mention in mentions)
        scopes = Scopes(tokens, stems, matches, covered, subjects, measures, named, facts)
        terms = read_terms(tokens, stems, mentions, measures, matches, scopes, imaging)
        terms = [term for term in terms if not any(start <= term.start < end for start, end in asides)]
        exceptions = [match for match in matches if "exception" in match.entry.flags]
        segments = _segments(tokens, _breaks_with_exceptions(tokens, exceptions, scopes.breaks), terms)
        if exceptions:
            _mark_exceptions(segments, {match.end for match in exceptions})
        self._settle_organs(segments, tokens)
        segments = pair_respective_lists(segments, tokens)
        return ParsedStatement(text, tokens, stems, matches, terms, segments)

    def _is_of_another_organ(self, mention: OrganMention, matches: Sequence[PhraseMatch]) -> bool:
        """Tell whether an adjective is part of another organ's finding: "pulmonary hypertension", of no lung."""
        if not mention.adjective:
            return False
        for match in matches:
            if match.entry.organ and match.start <= mention.start and mention.end <= match.end:
                organ = self.organ_finder.resolve(match.entry.organ)
                if organ and not any(self._has_to_do(organ, name) for name in mention.names):
                    return True
        return False

    def _has_to_do(self, organ: str, name: str) -> bool:
        """Tell whether two names are whole and part, or an organ and what lies around it."""
        return self.organ_finder.related(organ, name) or self.organ_finder.surroundings.get(organ) == name

    def _settle_organs(self, segments: Sequence[Segment], tokens: Sequence[Token]) -> None:
        """Give the organs of all segments their sides, and tell the subjects among them from places and containers."""
        earlier: OrganMention | None = None
        before: Segment | None = None
        frames: list[SideFrame] = []
        for segment, following in zip_longest(segments, segments[1:]):
            mentions = _mentions(segment.terms)
            side_words = [(term.start, term.key.removeprefix("side:")) for term in segment.terms if term.kind == "side"]
            if not side_words and segment.joiner in COORDINATORS and before is not None:
                side_words = side_of_ordinal(before, tokens)
            before = segment
            self.organ_finder.set_sides(
                mentions, side_words, earlier if segment.joiner in SIDE_JOINERS else None, frames
            )
            earlier = mentions[-1] if mentions else earlier
            is_label = following is not None and following.joiner == ":"
            if frame := side_frame(segment, self.vocabulary, label=is_label):
                frames.append(frame)
        organs = [term for segment in segments for term in segment.organs]
        self.organ_finder.share_sides(_mentions(organs))
        fill_ranges(_mentions(organs), self.vocabulary)
        for segment in segments:
            self.organ_finder.mark_containers(_mentions(segment.terms))
        self.organ_finder.mark_regions(_mentions(organs))
        for term in organs:
            if term.mention:
                term.key = term.mention.names[0]
                term.mention.within = self.vocabulary.ancestors(term.key)
        for segment, following in pairwise(segments):
            if _is_frame(segment, following, tokens):
                segment.frame = True
                for term in segment.terms:
                    term.attribute = True
        for segment in segments:
            segment.silent = not any(map(_states_a_quality, segment.terms))


def _breaks_with_exceptions(
    tokens: Sequence[Token], exceptions: Sequence[PhraseMatch], breaks: Sequence[int]
) -> Sequence[int]:
    """Return the breaks with those around exceptions: "(normal) apart from (a cyst)".

    One that opens a sentence may end without a comma: "Except for a cyst, the liver is normal".
    """
    if not exceptions:
        return breaks
    all_breaks = set(breaks)
    for match in exceptions:
        all_breaks |= {match.start, match.end - 1}
        if match.start and tokens[match.start - 1].word not in HARD_BREAKS:
            continue
        stop = next((index for index in breaks if index > match.start), len(tokens))
        verb = next((index for index in range(match.end, stop) if tokens[index].word in VERBS), match.end)
        openers = [index for index in range(match.end + 1, verb) if tokens[index].word in ("the", "there")]
        all_breaks.update(openers[-1:])
    return sorted(all_breaks)


def _mark_exceptions(segments: Sequence[Segment], starts: Collection[int]) -> None:
    """Mark the segments of exceptions, which begin at the tokens ``starts``: "normal except (the liver and spleen)"."""
    earlier: Segment | None = None
    for segment in segments:
        is_listed = earlier is not None and earlier.excepted and segment.joiner in COORDINATORS
        segment.excepted = segment.start in starts or (is_listed and segment.verb is None)
        earlier = segment


def _is_frame(segment: Segment, following: Segment, tokens: Sequence[Token]) -> bool:
    """Tell whether a segment that opens a statement says no more than when or where it holds: "As before, …".

    It is a phrase before a comma, without a verb, an organ or a finding that the lexicon lists.
    """
    if segment.joiner not in ("", ":") or following.joiner != "," or segment.verb is not None:
        return False
    opens = tokens[segment.start].word in FRAME_OPENERS
    return opens and all(term.kind == "finding" and term.entry is None for term in segment.terms)


def _overlap(mention: OrganMention, name: ImagingName) -> bool:
    return mention.start < name.end and name.start < mention.end


def _mentions(terms: Iterable[Term]) -> list[OrganMention]:
    return [term.mention for term in terms if term.mention]


def _indices(mentions: Iterable[OrganMention]) -> frozenset[int]:
    """Return the indices of all tokens that are part of a mention."""
    return frozenset([index for mention in mentions for index in range(mention.start, mention.end)])


def _states_a_quality(term: Term) -> bool:
    """Tell whether a term says more than where: a device that is there does, an organ or a side does not."""
    if term.mention:
        return term.mention.device
    return term.kind not in ("side", "negation") and not term.attribute


def _free_matches(
    matches: Sequence[PhraseMatch], mentions: Sequence[OrganMention], measures: Sequence[Measure]
) -> list[PhraseMatch]:
    """Return the matches of the lexicon that say more than the organ name or number that they touch."""
    spans = [(mention.start, mention.end) for mention in mentions if not mention.finding]
    spans += [(measure.start, measure.end) for measure in measures]
    if not spans or not matches:
        return list(matches)
    free = []
    for match in matches:
        for start, end in spans:
            if start <= match.start and match.end <= end:
                break
        else:
            free.append(match)
    return free


def _segments(tokens: Sequence[Token], breaks: Sequence[int], terms: list[Term]) -> list[Segment]:
    """Return the segments between breaks, each with its terms and verb; those with neither are left out."""
    segments: list[Segment] = []
    start, joiner, starts = 0, "", [term.start for term in terms]
    for stop in [*breaks, len(tokens)]:
        if stop > start:
            segments.append(Segment(start, stop, joiner, terms[bisect_left(starts, start) : bisect_left(starts, stop)]))
        if stop < len(tokens):
            joiner = f"{joiner} {tokens[stop].word}".strip() if stop == start else tokens[stop].word
        start = stop + 1
    words = [token.word for token in tokens]
    reported = "that" in words
    for segment in segments:
        start = _behind_report(tokens, segment) if reported else segment.start
        segment.verb = next((index for index in range(start, segment.end) if words[index] in VERBS), None)
        if segment.verb is not None:
            segment.continues = SUBJECT_PRONOUNS.issuperset(words[segment.start : segment.verb])
        segment.relative = segment.joiner == "," and words[segment.start] == "which" and is_singular(words, segment)
        segment.preposed = tokens[segment.start].word in FRAME_OPENERS
    return [segment for segment in segments if segment.terms or segment.verb is not None]


def _behind_report(tokens: Sequence[Token], segment: Segment) -> int:
    """Return where a segment begins to tell what was seen: behind "It is noted that"."""
    names = [term.start for term in segment.terms if term.mention]
    for index in range(segment.start + 1, min([*names, segment.end])):
        if tokens[index].word == "that" and tokens[index - 1].stem in REPORTING_STEMS:
            return index + 1
    return segment.start


def _stems_of(vocabulary: Vocabulary) -> frozenset[str]:
    """Return the stems of all words in the names of organs."""
    organs = vocabulary.organs.values()
    phrases = [phrase for organ in organs for phrase in (organ.name, *organ.nouns, *organ.adjectives, *organ.findings)]
    return frozenset([token.stem for token in tokenize(" ".join(set(" ".join(phrases).split())))])
