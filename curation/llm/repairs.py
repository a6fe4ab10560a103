"""What a model is told of a refused caption when it goes back: the words that are missing, and those of the passage."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from curation.caption import Reason, RefusedCaption
from curation.language.parsed_statement import ParsedStatement, Term
from curation.verification.answers import Verification
from curation.verification.organs import statement_organs
from curation.verification.report_statements import ReadReport
from curation.verification.verifier import GROUNDED, Verifier

NOT_REPAIRED = frozenset((Reason.DUPLICATE, Reason.SCHEMA, Reason.TRUNCATED, Reason.ENGINE_ERROR, Reason.PHI))
MOST_OTHER_WORDS, MOST_ORGANS, MOST_PASSAGES = 8, 8, 3
"""The most words and phrases of a passage that are named beside it, organs that are tried, and passages in all."""


class OtherPassage(NamedTuple):
    """A passage of the report beside the nearest one, with the organs that it may be filed under."""

    passage: str
    about: tuple[str, ...]


class RepairRequest(NamedTuple):
    """A refused caption as it goes back to the model.

    ``passage`` is the one of the report that comes nearest and ``about`` the organs that it may be filed under,
    ``missing`` are the words of the caption that it lacks, and ``other_words`` words of it that the caption lacks.
    ``other_passages`` are those that come next, where the nearest lacks words of the caption.
    """

    organ: str
    caption: str
    reason: str
    passage: str
    about: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    other_words: tuple[str, ...] = ()
    other_passages: tuple[OtherPassage, ...] = ()

    def values(self, number: int) -> dict[str, Any]:
        """Return what the template ``repair`` of a prompt is given of it, as the caption of that number."""
        return {"number": number, **self._asdict()}


def repair_request(
    verifier: Verifier, row: RefusedCaption, refused: tuple[ReadReport, Verification] | None
) -> RepairRequest:
    """Return what to tell of a refused caption; ``refused`` is its report, with the verifier's answer about it."""
    passage, reason = row.nearest or "", row.detail or str(row.reason)
    if refused is None:
        return RepairRequest(row.organ, row.caption, reason, passage)
    report, refusal = refused
    parser = verifier.parser
    about = _organs_of(verifier, report, row.organ, (refusal.start, refusal.end))
    others = _other_words(parser.parse(passage), parser.parse(row.caption)) if refusal.missing else ()
    other_passages = tuple(_other_passages(verifier, report, row, refusal))
    return RepairRequest(row.organ, row.caption, reason, passage, about, refusal.missing, others, other_passages)


def _organs_of(verifier: Verifier, report: ReadReport, organ: str, span: tuple[int, int]) -> tuple[str, ...]:
    """Return the organs that a passage of the report may be filed under, that of the caption first.

    Those that contain its organs are returned only where it may be filed under none of them.
    """
    parser, vocabulary = verifier.parser, verifier.parser.vocabulary
    statements = [s for s in report.statements if s.start < span[1] and span[0] < s.end]
    numbers, passage = [s.number for s in statements], report.text[span[0] : span[1]]
    named = [name for s in statements for name in (*statement_organs(parser, s.parse), *s.context)]
    wider = [parent for name in named for parent in vocabulary.organs[name].parents]
    for names in ((organ, *map(vocabulary.filed_under, named)), map(vocabulary.filed_under, wider)):
        tried = list(dict.fromkeys(names))[:MOST_ORGANS]
        if accepted := [name for name in tried if verifier.verify(report, name, passage, numbers).accepted]:
            return tuple(accepted)
    return ()


def _other_passages(
    verifier: Verifier, report: ReadReport, row: RefusedCaption, refusal: Verification
) -> Iterator[OtherPassage]:
    """Yield the passages that share most words with a caption of which the nearest one lacks words, or half."""
    if refusal.score >= 100 * GROUNDED and not refusal.missing:
        return
    for statement in verifier.near(report, row.caption)[:MOST_PASSAGES]:
        span = (statement.start, statement.end)
        if span != (refusal.start, refusal.end):
            yield OtherPassage(report.text[slice(*span)], _organs_of(verifier, report, row.organ, span))


def _other_words(passage: ParsedStatement, caption: ParsedStatement) -> tuple[str, ...]:
    """Return the words of a passage that say something which a caption does not."""
    in_caption = {_meaning(term) for term in caption.terms}
    others = [
        passage.text_of(term) for term in passage.terms if not term.attribute and _meaning(term) not in in_caption
    ]
    return tuple(dict.fromkeys(others))[:MOST_OTHER_WORDS]


def _meaning(term: Term) -> object:
    return term.measure.values if term.measure else term.key


def not_yet_sent(repairable: Iterable[RepairRequest], sent: Collection[tuple[str, str]]) -> list[RepairRequest]:
    """Return the refused captions whose organ and caption have not gone back to the model yet."""
    return [row for row in repairable if (row.organ, row.caption) not in sent]
