"""Values of labels that name several organs: "Kidneys / ureters / bladder: no stones", "Lungs, pleura: clear"."""

from __future__ import annotations

import re
from itertools import chain

from curation.language.assertion import Polarity
from curation.language.parsed_statement import ParsedStatement, Term
from curation.language.parser import StatementParser

from .answers import bare
from .findings import is_listed_finding
from .labels import Label
from .wording import capital

_PIECES = re.compile(r"\s*[,;]\s*(?:and\s+)?")
_DENIES_ALL = re.compile(r"no (?:\w+ )?(?:abnormalit(?:y|ies)|abnormal findings?)(?: \w+)?$", re.IGNORECASE)
_DENIAL = re.compile(r"(?:no|without)\b", re.IGNORECASE)


def of_each_organ(parser: StatementParser, label: Label, value: str) -> tuple[str, ...] | None:
    """Return what a value says of each organ of a label that names several; None where it is read as it stands.

    What is normal or denied is so of all of them, but for a finding that belongs to one organ. Of which organ a finding
    is that could belong to several is not told: such a value says nothing.
    """
    pieces = [piece for piece in _PIECES.split(bare(value)) if piece]
    statements = [parser.parse(piece) for piece in pieces]
    if not pieces or any(map(_names_organ, chain.from_iterable(statement.terms for statement in statements))):
        return None
    if all(map(_is_of_all, pieces, statements)):
        own = {
            p: _parts_of_own_organ(parser, label, s) for p, s in zip(pieces, statements, strict=True) if _own_organs(s)
        }
        shared = {part: [piece for piece in pieces if part in own.get(piece, label.parts)] for part in label.parts}
        self_named = [piece for piece, parts in own.items() if not parts]
        return (
            *(f"{capital(part)}: {', '.join(of_part)}" for part, of_part in shared.items() if of_part),
            *map(capital, self_named),
        )
    if len(pieces) == 1 and any(map(_is_of_one_of_several, statements[0].terms)):
        return ()
    if len(pieces) == 1 and _own_organs(statements[0]) and all(map(_may_stand_alone, statements[0].terms)):
        return (capital(pieces[0]),)
    return None


def _is_of_all(piece: str, statement: ParsedStatement) -> bool:
    """Tell whether a piece calls all that it stands behind normal, or denies findings, and says nothing else."""
    if _DENIES_ALL.match(piece):
        return True
    if _DENIAL.match(piece):
        findings = [term for term in statement.terms if is_listed_finding(term)]
        return bool(findings) and all(term.polarity == Polarity.NEGATED for term in findings)
    terms = statement.terms
    return any(term.is_normality and not term.polarity for term in terms) and all(
        term.is_normality or term.attribute for term in terms
    )


def _own_organs(statement: ParsedStatement) -> bool:
    """Tell whether each finding says by itself of which organ it is, as "pneumothorax" does."""
    findings = [term for term in statement.terms if _is_finding(term)]
    return bool(findings) and all(term.mention or (term.entry and term.entry.organ) for term in findings)


def _parts_of_own_organ(parser: StatementParser, label: Label, statement: ParsedStatement) -> tuple[str, ...]:
    """Return the parts of a label that are parts of the organ of a finding: a fracture is one of the spine and ribs."""
    organs = {term.entry.organ for term in statement.terms if _is_finding(term) and term.entry and term.entry.organ}
    wholes = {name for organ in organs if (name := parser.organ_finder.resolve(organ))}
    return tuple(
        part
        for part in label.parts
        for names in [[name for term in parser.parse(part).terms if term.mention for name in term.mention.names]]
        if any(not wholes.isdisjoint(parser.vocabulary.ancestors(name) - {name}) for name in names)
    )


def _is_finding(term: Term) -> bool:
    return is_listed_finding(term) or (term.mention is not None and term.mention.finding)


def _names_organ(term: Term) -> bool:
    return term.mention is not None and not term.mention.finding


def _is_of_one_of_several(term: Term) -> bool:
    return is_listed_finding(term) and not term.polarity and not (term.entry and term.entry.organ)


def _may_stand_alone(term: Term) -> bool:
    return _is_finding(term) or term.kind in ("modifier", "negation", "hedge", "measure")
