"""What a model is told of a refused caption when it goes back: the words that are missing, and those of the passage."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from curation.caption import Reason, RefusedCaption
from curation.language.parsed_statement import ParsedStatement, Term
from curation.verification.answers import Verification
from curation.verification.organs import statement_organs
from curation.verification.verifier import Verifier

NOT_REPAIRED = frozenset((Reason.DUPLICATE, Reason.SCHEMA, Reason.TRUNCATED, Reason.ENGINE_ERROR, Reason.PHI))
MOST_OTHER_WORDS = 8
"""The most words and phrases of a passage that are named beside it."""


class RepairRequest(NamedTuple):
    """A refused caption as it goes back to the model.

    ``passage`` is the one of the report that comes nearest and ``about`` the organs that it is about, ``missing`` are
    the words of the caption that it lacks, and ``other_words`` words of it that the caption lacks.
    """

    organ: str
    caption: str
    reason: str
    passage: str
    about: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    other_words: tuple[str, ...] = ()

    def values(self, number: int) -> dict[str, Any]:
        """Return what the template ``repair`` of a prompt is given of it, as the caption of that number."""
        return {"number": number, **self._asdict()}


def repair_request(verifier: Verifier, row: RefusedCaption, refusal: Verification | None) -> RepairRequest:
    """Return what to tell of a refused caption. ``refusal`` is the verifier's answer about it, where there is one."""
    passage, parser = row.nearest or "", verifier.parser
    statement, caption = parser.parse(passage), parser.parse(row.caption)
    vocabulary = parser.vocabulary
    about = dict.fromkeys(vocabulary.filed_under(name) for name in statement_organs(parser, statement))
    missing = refusal.missing if refusal else ()
    others = _other_words(statement, caption) if missing else ()
    return RepairRequest(row.organ, row.caption, row.detail or str(row.reason), passage, tuple(about), missing, others)


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
