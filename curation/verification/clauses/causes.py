"""Does a caption turn cause and effect round: "stone due to stranding", of "stranding due to a stone"?"""

from __future__ import annotations

from collections.abc import Iterator

from curation.caption import Reason
from curation.language.parsed_statement import ParsedStatement

from ..refusals import RefusalCause

_CAUSES = (
    ("due", "to"), ("secondary", "to"), ("owing", "to"), ("caused", "by"), ("because", "of"), ("result", "of"),
    ("resulting", "from"), ("result", "from"), ("results", "from"), ("consequence", "of"), ("from",), ("thanks", "to"),
)  # fmt: skip
# Behind these stands the effect: "a stone causing hydronephrosis".
_EFFECTS = (("causing",), ("causes",), ("cause",), ("leading", "to"), ("leads", "to"), ("resulting", "in"))

# Most statements have none of these.
_FIRST_WORDS = frozenset(cue[0] for cue in (*_CAUSES, *_EFFECTS))


def exchanged_causes(caption: ParsedStatement, statement: ParsedStatement) -> Iterator[RefusalCause]:
    """Yield a cause where a caption gives as the effect what its evidence gives as the reason."""
    for effects, reasons in _effects_and_reasons(caption):
        for theirs, of_theirs in _effects_and_reasons(statement):
            if effects & of_theirs and reasons & theirs and not (effects & theirs or reasons & of_theirs):
                yield RefusalCause(Reason.MODIFIER, "turns cause and effect round")
                return


def _effects_and_reasons(statement: ParsedStatement) -> Iterator[tuple[set[str], set[str]]]:
    """Yield effects and reasons of each word of cause that stands between findings: what is before and behind it."""
    if _FIRST_WORDS.isdisjoint(statement.words):
        return
    words = [token.word for token in statement.tokens]
    for cue in (*_CAUSES, *_EFFECTS):
        for at in range(1, len(words) - len(cue)):
            if tuple(words[at : at + len(cue)]) == cue:
                findings = [term for term in statement.terms if term.kind == "finding" and not term.attribute]
                before = {term.key for term in findings if term.end <= at}
                behind = {term.key for term in findings if term.start >= at + len(cue)}
                if before and behind:
                    yield (behind, before) if cue in _EFFECTS else (before, behind)
