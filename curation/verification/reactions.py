"""Try whether a verdict reacts to what turns a caption around: left and right exchanged, a denial added or taken away.

Engine and verifier read a sentence in the same way, so that what one overlooks the other does, and their agreement
proves little. The rewrites here are made on the letters alone. Where the evidence that carries a caption carries the
opposite of it as well, nothing was understood, and the caption is refused: "no dissection in the left or right
vertebral artery" carries both sides by right, but "the upper lobe of the right lung" no left one.

What cannot tell is not asked: a rewrite of the side where the evidence names that side or speaks of both, one of a
denial where the evidence has no word that denies, or the denial is about an earlier examination.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from functools import lru_cache

from curation.caption import Reason
from curation.language.parser import CACHED_STATEMENTS
from curation.language.tokens import stem

from .answers import Verification, refused
from .joined.claim_evidence import statements_in
from .report_statements import ReadReport

_SIDE = re.compile(r"\b(?:left|right)\b", re.IGNORECASE)
_BOTH = re.compile(
    r"\b(?:both|bilateral\w*|bi(?:basal|basilar|apical|hilar|frontal|parietal|temporal|occipital)\w*|each|either|"
    r"two|sides|symmetric\w*|all)\b",
    re.IGNORECASE,
)
_SIDE_IN_A_NAME = re.compile(r"\b(?:[RL][A-Z]{0,4}|[Rr]t|[Ll]t|[Mm]iddle lobe|[Ll]ingul\w+)\b")
"""Names that say a side without the word: the middle lobe is on the right, "LAD" on the left."""
_DENIAL = re.compile(
    r"\b(?:no|not|non|nor|none|never|neither|without|absent|absence|free|negative|lacks?|cannot|denies|nil|un\w+|"
    r"resolved|cleared|resolution|fails?|failure|exclud\w+|ruled)\b|n't\b",
    re.IGNORECASE,
)
_REMOVAL = re.compile(r"\b(?:removed|resected|resection|status post|\w+ectomy)\b", re.IGNORECASE)
_DENIED_NOUN = re.compile(r"\A((?:[^:]{1,40}: )?)no (?:evidence of |signs? of |definite |visible )?", re.IGNORECASE)
_DENIED_VERB = re.compile(r"\b(is|are|was|were) not\b", re.IGNORECASE)
_LABEL = re.compile(r"\A([^:]{1,40}: )(.*)\Z", re.DOTALL)
_VERB = re.compile(r"\b(?:is|are|was|were|has|have)\b", re.IGNORECASE)
_ARTICLE = re.compile(r"(?:the|a|an|there)\b", re.IGNORECASE)
_EARLIER = re.compile(r"\b(?:previous|prior|earlier|last|old|former)", re.IGNORECASE)
_EXCHANGED = {"left": "right", "right": "left"}


def with_sides_exchanged(text: str) -> str:
    """Return a text with left for right and right for left."""

    def exchanged(match: re.Match[str]) -> str:
        word = _EXCHANGED[match[0].lower()]
        return word.upper() if match[0].isupper() else word.capitalize() if match[0][0].isupper() else word

    return _SIDE.sub(exchanged, text)


@lru_cache(maxsize=CACHED_STATEMENTS)
def with_denial_turned(caption: str) -> str | None:
    """Return a caption that says the opposite: denied, or without its denial. None where that is not sure to be one."""
    if _EARLIER.search(caption) or _REMOVAL.search(caption):
        return None
    if _DENIED_NOUN.match(caption):
        text = _DENIED_NOUN.sub(r"\1", caption, count=1)
        return None if _DENIAL.search(text) else text
    if _DENIAL.search(caption):
        match = _DENIED_VERB.search(caption)
        if match is None or len(_DENIAL.findall(caption)) > 1:
            return None
        return f"{caption[: match.start()]}{match[1]}{caption[match.end() :]}"
    label = _LABEL.match(caption)
    before, text = (label[1], label[2]) if label else ("", caption)
    if verb := _VERB.search(text):
        return f"{before}{text[: verb.end()]} not{text[verb.end() :]}"
    return None if _ARTICLE.match(text) else f"{before}No {text[:1].lower()}{text[1:]}"


class Reactions:
    """Tries the opposite of accepted captions on their evidence."""

    def __init__(self, carries: Callable[[str, tuple[str, ...], str, str], bool], organs: Container[str]) -> None:
        """``carries`` tells whether a statement with its context carries a caption filed under one of ``organs``."""
        self._carries, self._organs = carries, organs

    def tried(self, report: ReadReport, caption: str, verification: Verification) -> Verification:
        """Return an acceptance as it is, or as a refusal where the evidence carries the opposite of the caption."""
        evidence = " ".join(report.text[start:end] for start, end in verification.spans)
        organ = verification.organ
        if _speaks_only_of_the_other_side(evidence, organ, caption):
            other = (with_sides_exchanged(organ), with_sides_exchanged(caption))
            if other[0] in self._organs and self._is_carried(report, *other, verification):
                return _unreactive(verification, Reason.LATERALITY, other[1])
        if _denies(evidence) and (opposite := with_denial_turned(caption)) is not None:
            if self._is_carried(report, organ, opposite, verification):
                return _unreactive(verification, Reason.NEGATION, opposite)
        return verification

    def _is_carried(self, report: ReadReport, organ: str, caption: str, verification: Verification) -> bool:
        return any(
            self._carries(statement.parse.text, statement.subject, organ, caption)
            for statement in statements_in(report, verification.spans)
        )


@lru_cache(maxsize=CACHED_STATEMENTS)
def _denies(evidence: str) -> bool:
    return _DENIAL.search(evidence) is not None


@lru_cache(maxsize=CACHED_STATEMENTS)
def _speaks_only_of_the_other_side(evidence: str, organ: str, caption: str) -> bool:
    """Tell whether a caption names one side and its evidence only the other, not both nor the organ in the plural."""
    evidence_sides = _sides_in(evidence)
    if len(evidence_sides) != 1:
        return False
    sides = _sides_in(f"{organ} {caption}")
    if len(sides) != 1 or sides == evidence_sides:
        return False
    if _SIDE_IN_A_NAME.search(evidence):
        return False
    return not _BOTH.search(evidence) and not _has_plural(evidence, organ.split()[-1])


def _sides_in(text: str) -> set[str]:
    return set(map(str.lower, _SIDE.findall(text)))


def _has_plural(text: str, noun: str) -> bool:
    words: Iterable[str] = re.findall(r"[a-z]+", text.lower())
    return any(word != noun and word.endswith(("s", "a", "i", "e")) and stem(word) == stem(noun) for word in words)


def _unreactive(verification: Verification, reason: Reason, opposite: str) -> Verification:
    refusal = refused(verification.organ, reason, f"the same evidence would carry “{opposite}”")
    span = verification.spans[0]
    return refusal._replace(start=span[0], end=span[1], section=verification.section, score=verification.score)
