"""What the first members of a list leave to the last: "a 3 mm right and a 5 mm left renal stone" has two renal stones.

A member that ends in an adjective, a side or a name used like one takes the noun behind the like word of a later
member. ``completed_text`` writes it there, so that each member can be read, and quoted, by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from ..assertion import Polarity
from ..parsed_statement import ParsedStatement, Segment, Term
from ..word_lists import ADJECTIVE_ENDINGS, ARTICLES, COPULAS, LIST_JOINERS, PLACE_OPENERS, SIDES, VERBS
from .quality_kinds import is_whereabouts
from .reference_words import DETERMINERS, PHRASE_ENDS
from .respective_lists import RESPECTIVELY

_PHRASE_ENDS = PHRASE_ENDS | VERBS | PLACE_OPENERS | frozenset(("up", "than", "not", "no", "measuring", "status"))
HAVING = frozenset("has have had shows show".split())
_ONE_SIDE = frozenset(("left", "right"))
_BEFORE_NOUNS = ("al", "ar", "ic", "ary", "ous", "ior", "deep")


class _Tail(NamedTuple):
    """The noun ``tokens[start:end]`` that is shared, and the organs that have it: those of the name that it is in."""

    start: int
    end: int


@lru_cache(maxsize=2_048)
def completed_text(statement: ParsedStatement) -> str | None:
    """Return a statement with the nouns that its lists share written in each member; None where none is shared."""
    if len(statement.segments) < 2 or RESPECTIVELY in statement.words:
        return None
    tails = list(_tails(statement))
    if not tails:
        return None
    text, tokens = statement.text, statement.tokens
    edits: list[tuple[int, int, str]] = []
    for last, tail in tails:
        noun = text[tokens[tail.start].start : tokens[tail.end - 1].end]
        if singular := _singular(last, noun):
            noun = singular
        edits.append((tokens[last.end - 1].end, tokens[last.end - 1].end, f" {noun}"))
    for tail in {tail for _, tail in tails}:
        start, end = tokens[tail.start].start, tokens[tail.end - 1].end
        owner = next((t for t in statement.terms if t.mention and t.start < tail.start and t.end == tail.end), None)
        if owner is not None and (singular := _singular(owner, text[start:end])):
            edits.append((start, end, singular))
    for last, tail in tails:
        edits += _shared_qualifiers(statement, last, tail)
    members = [last for last, _ in tails] + [
        t for t in statement.terms if t.mention and any(t.start < tail.start < t.end for _, tail in tails)
    ]
    edits += [
        (at, at, f"{side} ")
        for term in members
        if (side := _unsaid_side(statement, term, members))
        for at in (tokens[term.start].start,)
    ]
    for start, end, words in sorted(edits, reverse=True):
        text = text[:start] + words + text[end:]
    return text


def _singular(name: Term, noun: str) -> str:
    """Return the noun of a name of one organ in the singular, where it stands in the plural for a list: "lobes"."""
    if name.mention is None or len(name.mention.names) != 1:
        return ""
    words, singular = noun.split(), name.key.split()[-1]
    plurals = (f"{singular}s", f"{singular}es", f"{singular[:-1]}ies")
    changed = [_like(word, singular) if word.lower() in plurals else word for word in words]
    return " ".join(changed) if changed != words else ""


def _shared_qualifiers(statement: ParsedStatement, last: Term, tail: _Tail) -> Iterator[tuple[int, int, str]]:
    """Yield what narrows a denial of the first member, for the others: "no suspicious hepatic or splenic lesion"."""
    segment = next(segment for segment in statement.segments if last in segment.terms)
    at = segment.terms.index(last)
    while (
        at
        and segment.terms[at - 1].kind in ("finding", "modifier")
        and _is_premodifier(statement, segment.terms[at - 1])
    ):
        at -= 1
    first = segment.terms[at]
    if last.polarity != Polarity.NEGATED or first is last:
        return
    words = statement.text_between(first.start, last.start)
    for following in statement.segments:
        opening = following.terms[0] if following.terms else None
        if segment.end < following.start <= tail.start and opening and opening.start == following.start:
            start = statement.tokens[following.start].start
            if opening.mention or opening.kind == "side":
                yield start, start, f"{words} "


def _like(plural: str, singular: str) -> str:
    """Return the singular in the capitals of the plural."""
    return singular.upper() if plural.isupper() else singular.capitalize() if plural[0].isupper() else singular


def _unsaid_side(statement: ParsedStatement, name: Term, members: Sequence[Term]) -> str:
    """Return the side that a name has from the first of its list: "left" of the 6th, in "left 5th and 6th ribs"."""
    side = name.key.split()[0]
    if side not in _ONE_SIDE or name.mention is None or len(name.mention.names) != 1:
        return ""
    words = [{token.word for token in statement.tokens[term.start : term.end]} for term in (name, *members)]
    is_said_before = any(
        side in others for others, term in zip(words[1:], members, strict=True) if term.start < name.start
    )
    return side if is_said_before and not words[0] & SIDES.keys() else ""


def _tails(statement: ParsedStatement) -> Iterator[tuple[Term, _Tail]]:
    """Yield the last word of each segment that lacks its noun, and that noun."""
    for index, segment in enumerate(statement.segments[:-1]):
        last = segment.terms[-1] if segment.terms else None
        if last is None or last.end != segment.end:
            continue
        if last.mention is not None and last.mention.noun is not None:
            start, end = last.mention.noun
            owner = next((s for s in statement.segments if s.start <= start < s.end), segment)
            yield last, _Tail(start, _phrase_end(statement, end, owner.end))
        elif _lacks_noun(statement, segment, last):
            tail = _tail_behind(statement, index, last)
            if tail is not None:
                yield last, tail


def ends_without_noun(statement: ParsedStatement) -> bool:
    """Tell whether a wording that was cut from a statement ends before its noun, or one of its parts does.

    "Prominent mediastinal", "Opacity with a mainly peripheral; effusion".
    """
    ends = [segment for segment, following in pairwise(statement.segments) if following.joiner == ";"]
    return any(_segment_ends_without_noun(statement, segment) for segment in [*ends, *statement.segments[-1:]])


def _segment_ends_without_noun(statement: ParsedStatement, segment: Segment) -> bool:
    last = segment.terms[-1] if segment.terms else None
    if last is None or last.end != segment.end:
        return False
    is_adjective = last.mention is not None and last.mention.adjective
    if last.kind == "finding" and (is_whereabouts(last) or (last.entry is None and not last.attribute)):
        at = last.end
        while at > segment.start and statement.tokens[at - 1].word.endswith((*_BEFORE_NOUNS, "ly")):
            at -= 1
        return segment.start < at < last.end and statement.tokens[at - 1].word in ARTICLES
    return (last.kind == "side" or is_adjective) and _lacks_noun(statement, segment, last)


def opens_without_noun(statement: ParsedStatement) -> bool:
    """Tell whether a verb follows an adjective that opens a wording: "Mesenteric has resolved", of an adenopathy."""
    colon = next((at for at, token in enumerate(statement.tokens[:8]) if token.word == ":"), -1)
    opening = next((term for term in statement.terms if term.mention and term.start > colon), None)
    if opening is None or opening.mention is None or opening.end >= len(statement.tokens):
        return False
    before = {token.word for token in statement.tokens[colon + 1 : opening.start]}
    is_adjective = opening.mention.adjective or (opening.mention.station and opening.end - opening.start == 1)
    return (
        is_adjective
        and set(before) <= ARTICLES | SIDES.keys()
        and statement.tokens[opening.end].word in COPULAS | HAVING
    )


def _lacks_noun(statement: ParsedStatement, segment: Segment, last: Term) -> bool:
    """Tell whether the last word of a segment stands before a noun that the segment lacks."""
    tokens = statement.tokens
    opening = last.start
    while opening > segment.start and tokens[opening - 1].word not in _PHRASE_ENDS | DETERMINERS:
        opening -= 1
    before = tokens[opening - 1].word if opening > segment.start else ""
    is_predicate = before in COPULAS and not (opening > 1 and tokens[opening - 2].word == "there")
    phrase = [term for term in segment.terms if opening <= term.start < last.start]
    if is_predicate or not all(_is_premodifier(statement, term) for term in phrase):
        return False
    if last.kind == "side":
        is_noun = tokens[last.start - 1].word in ARTICLES if last.start > opening else before != ""
        return tokens[last.start].word in _ONE_SIDE and not is_noun and len(phrase) > 0
    if last.mention is None or last.mention.finding or last.mention.device:
        return False
    is_level = any(character.isdigit() for character in tokens[last.end - 1].word)  # "the C5-6 and C6-7 foramina"
    if last.mention.adjective or last.mention.station or is_level:
        return True
    is_article = last.start > segment.start and tokens[last.start - 1].word in ARTICLES
    others = [term for term in segment.terms if term is not last and (before != "with" or term.start >= opening)]
    is_bare = not any(term.kind == "organ" or term.is_normality for term in others)
    return is_bare and bool(phrase) and not is_article and not last.mention.plural and before in ("", "with")


def _is_premodifier(statement: ParsedStatement, term: Term) -> bool:
    """Tell whether a term may stand before a noun: a grade, a size, a side, an adjective."""
    if term.kind == "finding" and not term.attribute:
        return term.entry is None or statement.tokens[term.end - 1].word.endswith(ADJECTIVE_ENDINGS)
    if term.mention is not None:
        return term.mention.adjective
    return term.kind in ("modifier", "measure", "side", "negation", "hedge")


def _tail_behind(statement: ParsedStatement, index: int, last: Term) -> _Tail | None:
    """Return the noun behind the word of a later segment that stands where ``last`` stands in its own."""
    for following in statement.segments[index + 1 :]:
        joiners = following.joiner.split()
        if any(joiner not in LIST_JOINERS for joiner in joiners):
            return None
        if joiners == [","] and not (last.mention and last.mention.adjective) and not _are_alike(statement, index):
            return None  # "a small effusion on the left, …": a comma alone joins no nouns and no sides
        start = _behind_like_word(statement, following, last)
        if start is None:
            return None
        end = _phrase_end(statement, start, following.end)
        if end > start:
            is_named = any(term.start < end and start < term.end for term in following.terms)
            return _Tail(start, end) if is_named else None
        if start != following.end:
            return None
    return None


def _are_alike(statement: ParsedStatement, index: int) -> bool:
    """Tell whether a statement opens with a grade and a side, and goes on with others: "mild right, severe left …"."""
    first, second = statement.segments[index : index + 2]
    return index == 0 and all(
        [term.kind for term in segment.terms[:2]] in (["modifier", "side"], ["measure", "side"])
        or (segment is second and segment.terms[0].kind in ("modifier", "measure") and segment.verb is None)
        for segment in (first, second)
    )


def _phrase_end(statement: ParsedStatement, at: int, stop: int) -> int:
    """Return the end of the nouns that begin at token ``at``."""
    while at < stop and statement.tokens[at].word not in _PHRASE_ENDS and statement.tokens[at].word[0].isalpha():
        at += 1
    return at


def _behind_like_word(statement: ParsedStatement, segment: Segment, last: Term) -> int | None:
    """Return the token behind the word of a segment that stands where ``last`` stands in its own; None without one."""
    tokens = statement.tokens
    if last.kind == "side":
        at = next((at for at in range(segment.start, segment.end) if tokens[at].word in _ONE_SIDE), None)
        return at + 1 if at is not None and _opens(segment, at) and tokens[at].word != tokens[last.start].word else None
    like = next((term for term in segment.terms if term.mention), None)
    if like is None or like.mention is None or not _opens(segment, like.start):
        return None
    words = [token.word for token in tokens[like.start : like.end]]
    if last.mention and last.mention.station:  # of other lists of lymph nodes the stations are read as they stand
        is_listed = like.end == segment.end
        return like.start + words.index("lymph") if "lymph" in words[1:] else like.end if is_listed else None
    return like.end


def _opens(segment: Segment, at: int) -> bool:
    """Tell whether nothing but qualities stands before a token in its segment."""
    if segment.verb is not None and segment.verb < at:
        return False
    before = [term for term in segment.terms if term.start < at]
    return all(term.kind in ("modifier", "measure", "side") or term.end > at for term in before)
