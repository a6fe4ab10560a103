"""Captions of passages that are not English: they hold where they quote the report, with its numbers and sides.

Such a passage is not read, so what it says is not verified. What is: that it stands in the report word for word, that
it and the caption have the same numbers with their units and the same sides, that a caption does not affirm where the
passage denies, and that the caption is about the organ that it is filed under.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from curation.caption import Draft, Reason
from curation.cleaning.clean_text import clean_text
from curation.language.word_lists import SIDES
from curation.report_language.languages import ENGLISH, UNDETERMINED, language_name
from curation.report_language.quantities import number_words, quantities
from curation.report_language.quote_words import quote_words, sides_in
from curation.report_language.statements import statement_language
from prompts.answer_form import LONGEST_QUOTE

from ..answers import Verification, merged_spans, refused
from ..caption_reading import refusal_unread
from ..foreign_statement import ForeignStatement
from ..refusals import RefusalCause
from ..report_statements import ReadReport
from ..verifier import Verifier

QUOTE_SCORE = 50.0
"""The score of a caption that quotes: its passage is there, and whether that says it is not verified."""
_WORD = re.compile(r"[a-z]+")


class QuotedPassage(NamedTuple):
    """Where a quote stands in a report's text, and the statement in another language that it is of or begins in."""

    start: int
    end: int
    statement: ForeignStatement


def quoted_passage(report: ReadReport, quote: str) -> QuotedPassage | None:
    """Return where a quote stands, white space apart, in what is not English of a report; None where it does not."""
    for start, end in quoted_spans(report, quote):
        for statement in report.foreign:
            if statement.start < end and start < statement.end:
                return QuotedPassage(start, end, statement)
    return None


def quoted_statements(report: ReadReport, quotes: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers of the English statements that quotes stand in, each once, in the order of the quotes."""
    spans = [span for quote in quotes for span in quoted_spans(report, quote)]
    statements = report.statements
    numbers = (s.number for start, end in spans for s in statements if s.start < end and start < s.end)
    return tuple(dict.fromkeys(numbers))


def quoted_spans(report: ReadReport, quote: str) -> Iterator[tuple[int, int]]:
    """Yield where a quote stands in a report's text word for word, white space apart."""
    words = quote.split()
    if not words or len(quote) > LONGEST_QUOTE:
        return
    clean = clean_text(report.text)
    for match in re.finditer(r"\s+".join(map(re.escape, words)), clean.text):
        yield clean.source_span(*match.span())


def verify_quoted(verifier: Verifier, report: ReadReport, draft: Draft) -> Verification:
    """Verify a caption of a report that is not English, or only in part, by what it quotes."""
    if (problem := refusal_unread(draft.organ, draft.caption)) is not None:
        return problem
    name = verifier.resolve(draft.organ.strip()) if draft.organ else None
    if name is None:
        return refused(draft.organ, Reason.UNKNOWN_ORGAN, f"“{draft.organ}” is not in the vocabulary")
    if not draft.quotes:
        return refused(name, Reason.LANGUAGE, f"{report.language.sentence()}, and the caption quotes nothing")
    passages: list[QuotedPassage] = []
    for quote in draft.quotes:
        passage = quoted_passage(report, quote)
        if passage is None:
            return refused(name, Reason.NOT_GROUNDED, f"“{quote}” is not in the report word for word")
        passages.append(passage)
    statement = passages[0].statement
    spans = merged_spans(((passage.start, passage.end) for passage in passages), report.text)
    start, end = spans[0]
    quoted = "; ".join(report.text[first:last] for first, last in spans)
    cause = _mismatch(verifier, name, draft.caption, quoted, statement.language)
    if cause is not None:
        refusal = refused(name, cause.reason, cause.detail)
        nearest = report.text[start:end]
        return refusal._replace(start=start, end=end, section=statement.section, nearest=nearest, spans=spans)
    status = verifier.status(draft.caption, name)
    return Verification(
        True, name, status, None, None, start, end, statement.section, QUOTE_SCORE, None, "quote", spans
    )


def _mismatch(verifier: Verifier, organ: str, caption: str, quote: str, code: str) -> RefusalCause | None:
    """Return the first thing in which a caption and the passage that it quotes differ; None where they agree."""
    if statement_language(caption).code not in (ENGLISH, UNDETERMINED):
        return RefusalCause(Reason.LANGUAGE, "the caption is not English")
    words = quote_words(code)
    if words is None:
        return RefusalCause(Reason.LANGUAGE, f"which words say left and right is not known for {language_name(code)}")
    in_caption, in_quote = quantities(caption), quantities(quote)
    if in_caption != in_quote or any((number, "") not in in_quote for number in number_words(caption)):
        differing = sorted(in_caption ^ in_quote) or sorted((number, "") for number in number_words(caption))
        shown = ", ".join(f"{number:g} {unit}".strip() for number, unit in differing)
        return RefusalCause(Reason.MEASUREMENT, f"not in both, the caption and its quote: {shown}")
    return _wrong_side(verifier, organ, caption, sides_in(quote, words)) or _wrong_claim(
        verifier, organ, caption, words.denial.search(quote.lower())
    )


def _wrong_side(verifier: Verifier, organ: str, caption: str, quoted: frozenset[str]) -> RefusalCause | None:
    """Return that the caption, with the organ that it is filed under, states other sides than its quote."""
    named = {SIDES[word] for word in _WORD.findall(caption.lower()) if word in SIDES}
    side = verifier.parser.vocabulary.organs[organ].side
    stated = {"left", "right"} if "both" in named else named | ({side} if side else set())
    if stated == quoted:
        return None
    return RefusalCause(Reason.LATERALITY, f"the caption says {_listed(stated)} and its quote {_listed(quoted)}")


def _wrong_claim(verifier: Verifier, organ: str, caption: str, denial: re.Match[str] | None) -> RefusalCause | None:
    """Return that the caption affirms what may be denied, or that it is not about the organ it is filed under."""
    if denial and verifier.status(caption) == "abnormal":
        return RefusalCause(Reason.NEGATION, f"the caption affirms, and its quote has “{denial[0].strip()}”")
    if not verifier.carries(caption, (organ,), organ, caption):
        return RefusalCause(Reason.WRONG_ORGAN, f"the caption is not about {organ}")
    return None


def _listed(sides: AbstractSet[str]) -> str:
    return " and ".join(sorted(sides)) or "no side"
