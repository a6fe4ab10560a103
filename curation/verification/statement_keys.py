"""What a statement may be recognised by: its findings and their parts, numbers, organs and what these are parts of.

A caption is held against the statements that share most of these with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from curation.language.parser import StatementParser

from .organs import DEVICES, resected_lobe


def keys_of_text(parser: StatementParser, text: str) -> frozenset[str]:
    """Return all that a text may be recognised by."""
    keys: set[str] = set()
    terms = parser.parse(text).terms
    for term in terms:
        if term.mention:
            keys |= keys_of_organs(parser, term.mention.names)
        elif term.measure:
            keys |= {f"{term.measure.kind} {value}" for value in term.measure.values}
        elif term.kind in ("finding", "modifier"):
            keys |= {term.key, *term.parts}
            if term.entry and term.entry.organ:
                keys.add(term.entry.organ)
            if lobe := resected_lobe(parser, term, terms):
                keys.add(lobe)
    return frozenset(keys)


def keys_of_organs(parser: StatementParser, names: Iterable[str]) -> frozenset[str]:
    """Return organs with what they are parts of, and devices with all their kinds.

    "Left ureteral stent" may be told of as "a stent in the left ureter".
    """
    keys: set[str] = set()
    for name in names:
        keys |= {name, *parser.vocabulary.organs[name].parents}
        kinds = parser.vocabulary.ancestors(name)
        if DEVICES in kinds:
            keys |= kinds - {DEVICES}
    return frozenset(keys)
