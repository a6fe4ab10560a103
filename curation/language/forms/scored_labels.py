"""Fields whose label is a scheme and whose value is a grade of it: "Lung-RADS: 2", "Total Agatston score: 0"."""

from __future__ import annotations

from curation.language.numbers.scores import is_scheme, is_value
from curation.language.parser import StatementParser


def score_of(parser: StatementParser, label: str, value: str) -> tuple[str, ...] | None:
    """Return the field as a sentence, where its label is a scheme or a scheme with its grade; None for other fields.

    Of "Lung-RADS category 1: negative" the label says all; "Lung-RADS 3: 7 mm nodule" is no such field.
    """
    statement = parser.parse(label)
    scheme = next((term for term in statement.terms if is_scheme(term.key)), None)
    if scheme is None:
        return None
    if scheme.end == len(statement.tokens):
        return (f"{label} {value}",) if is_value(value) else None
    behind = statement.text_between(scheme.end, len(statement.tokens))
    is_gloss = not any(term.mention or term.measure or term.entry for term in parser.parse(value).terms)
    return (label,) if is_value(behind.lstrip(" -–")) and is_gloss else None
