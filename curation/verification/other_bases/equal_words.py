"""A caption of which words are said to mean the same as words of the report, verified with those in their place.

Whoever says so, decides about these words alone. The caption is read with the words of the report instead, and has to
be carried as any other: an organ, a side, a denial, a number, a doubt, a time or an exception that is not the report's
refuses it as ever.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..answers import Verification
from ..missing_words import are_opposed, are_plain_words
from ..report_statements import ReadReport
from ..verifier import Verifier


def verify_with_equal_words(
    verifier: Verifier, report: ReadReport, caption: str, refusal: Verification, equal_words: Mapping[str, str]
) -> Verification | None:
    """Return the acceptance of a caption that was refused for words alone, or None where it stays refused.

    ``equal_words`` has words of the nearest passage for words of the caption ("Scarring": "fibrotic bands").
    """
    if not refusal.for_words or refusal.nearest is None:
        return None
    replaced = caption
    for words in refusal.missing:
        substitute = equal_words.get(words, "").strip(" .,;:")
        if not substitute or not _may_replace(verifier, words, substitute, refusal.nearest):
            return None
        before, whole_word, after = _split_at(words, replaced)
        if not whole_word:
            return None
        replaced = before + substitute + after
    verification = verifier.verify(report, refusal.organ, replaced)
    is_there = any(start < refusal.end and refusal.start < end for start, end in verification.spans)
    if not verification.accepted or not is_there:
        return None
    if verifier.status(caption, verification.organ) not in (verification.status, "uncertain"):
        return None  # uncertain: of a word that we do not know
    return verification._replace(basis="model")


def _split_at(words: str, text: str) -> tuple[str, str, str]:
    """Return what stands before some words of a text, the words, and what stands behind; like ``str.partition``."""
    match = re.search(rf"\b{re.escape(words)}\b", text)
    return (text[: match.start()], match[0], text[match.end() :]) if match else (text, "", "")


def _may_replace(verifier: Verifier, words: str, substitute: str, passage: str) -> bool:
    """Tell whether words of a passage, word for word, name a finding or a quality that has no class or opposite."""
    pattern = r"\b" + r"\s+".join(map(re.escape, substitute.split())) + r"\b"
    if not re.search(pattern, passage, re.IGNORECASE):
        return False
    return are_plain_words(verifier.parser, substitute) and not are_opposed(words, substitute)
