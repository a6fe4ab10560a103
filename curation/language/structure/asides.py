"""Tells what stands beside what a statement says (ratios, asides, lone ordinals), and where no segment ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..lexicon.lexicon import PhraseMatch
from ..mentions import OrganMention
from ..numbers.measure import Measure
from ..parsed_statement import ParsedStatement, Segment
from ..tokens import Token
from ..word_lists import ATTRIBUTE_STEMS, ORDINAL_ENDINGS, ORDINALS, SOFT_BREAKS


def without_ratios(mentions: list[OrganMention], tokens: Sequence[Token]) -> list[OrganMention]:
    """Return the mentions without those that a ratio compares: "the RV/LV ratio" is one of neither ventricle."""
    at = next((index for index, token in enumerate(tokens) if token.word in ("ratio", "ratios")), None)
    if at is None:
        return mentions
    last = next((mention for mention in mentions if mention.end == at), None)
    if last is None or tokens[last.start - 1].word not in ("/", "to", ":", "-"):
        return mentions
    return [mention for mention in mentions if mention is not last and mention.end != last.start - 1]


def covered_tokens(
    tokens: Sequence[Token], stems: Sequence[str], passages: Iterable[OrganMention | PhraseMatch | Measure]
) -> list[bool]:
    """Tell of each token whether it stands inside a passage of several tokens, where no segment ends.

    So does the conjunction between two attributes: "pathological size and appearance" is one quality.
    """
    covered = [False] * len(tokens)
    for passage in passages:
        if passage.end - passage.start > 1:
            covered[passage.start : passage.end] = [True] * (passage.end - passage.start)
    if not ATTRIBUTE_STEMS.isdisjoint(stems):
        for index in range(1, len(tokens) - 1):
            if tokens[index].word in SOFT_BREAKS:
                if stems[index - 1] in ATTRIBUTE_STEMS and stems[index + 1] in ATTRIBUTE_STEMS:
                    covered[index] = True
    return covered


def cover_asides(tokens: Sequence[Token], covered: list[bool]) -> list[tuple[int, int]]:
    """Let no segment end at the commas around "to a lesser degree", and return where that stands."""
    asides: list[tuple[int, int]] = []
    for at in range(len(tokens) - 3):
        words = [token.word for token in tokens[at : at + 4]]
        if words[:2] == ["to", "a"] and words[2] in ("lesser", "greater") and words[3] in ("degree", "extent"):
            for index in (at - 1, at + 4):
                if 0 <= index < len(tokens) and tokens[index].word == ",":
                    covered[index] = True
            asides.append((at, at + 4))
    return asides


def side_of_ordinal(segment: Segment, tokens: Sequence[Token]) -> list[tuple[int, str]]:
    """Return the side before an ordinal without its noun: "left posterior eighth", of "… eighth and ninth ribs"."""
    sides = [(term.start, term.key.removeprefix("side:")) for term in segment.terms if term.kind == "side"]
    last = segment.terms[-1] if segment.terms else None
    lacks_noun = tokens[segment.end - 1].word in ORDINALS | ORDINAL_ENDINGS and not segment.organs
    if last is not None and last.mention is not None and last.end == segment.end:  # "right parapharyngeal and …"
        lacks_noun = last.mention.adjective and last.mention.pair is None and len(segment.organs) == 1
    return sides if len(sides) == 1 and lacks_noun else []


def is_singular(words: Sequence[str], segment: Segment) -> bool:
    """Tell whether the verb behind "which" is in the singular: "which shows", "which has"."""
    verb = words[segment.start + 1] if segment.start + 1 < segment.end else ""
    return segment.verb == segment.start + 1 and verb.endswith("s")


def is_absolute(statement: ParsedStatement, segment: Segment) -> bool:
    """Tell whether a segment only says how something else is: "…, with the femoral head remaining located"."""
    words = [token.word for token in statement.tokens[segment.start : segment.end]]
    return segment.joiner == "," and words[0] == "with" and not {"remaining", "being"}.isdisjoint(words)


def has_own_subject(segment: Segment) -> bool:
    """Tell whether a property is the subject: "The wall is not thick, no perihepatic fluid", of no perihepatic wall."""
    verb = segment.verb
    return verb is not None and any(term.attribute and term.end <= verb for term in segment.terms)
