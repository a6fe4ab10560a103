"""Hallucinated captions: negations and hedges of a real statement added or taken away."""

from __future__ import annotations

import re
from random import Random

from benchmarks.quality.captions.kinds import (
    BE,
    FINDING,
    NOUN_PHRASE,
    SEEN,
    Claim,
    bare,
    capital,
    hallucinated,
    inserted,
)
from benchmarks.quality.captions.statements import ALL_ORGANS, HEDGE, NEGATION, NORMAL, Document, Statement, organs_in

_HEDGES = (
    (r"\b(?:possible|probable|suspected|questionable|presumed) ", ""), (r"\b(?:possibly|probably|likely) ", ""),
    (r"\b(?:may|might|could) (?:also )?(?:represent|reflect|be|indicate)\b", "is"), (r"\bsuspicious for\b", "showing"),
    (r" cannot be (?:completely )?(?:excluded|ruled out)", " is present"), (r"\bcannot exclude\b", "there is"),
    (r"\bis thought to be\b", "is"), (r"\b(?:which )?suggest(?:s|ing|ive of)\b", "showing"),
)  # fmt: skip

_ADDED_HEDGE = dict.fromkeys(
    ("possible", "suspected", "probable", "questionable"),
    "possib|probab|suspec|suspic|question|likely|may |might|could|favo",
)


@hallucinated
def negation_added(rng: Random, doc: Document, st: Statement) -> Claim | None:
    if NEGATION.search(st.text) or HEDGE.search(st.text) or len(re.findall(rf"\b{BE} {SEEN}", st.text)) > 1:
        return None
    if match := re.search(
        rf"\b(?:({BE}) ({SEEN}|normal|unremarkable|natural|enlarged|increased|dilated|intact|open)\b)", st.text
    ):
        caption = f"{st.text[: match.start()]}{match[1]} not {match[2]}{st.text[match.end() :]}"
    elif match := re.match(r"There (is|are) (?:an? )?", st.text):
        caption = f"There {match[1]} no {st.text[match.end() :]}"
    elif (match := NOUN_PHRASE.search(st.text)) and st.positive and match.start() < 3:
        bared = bare(st.text)
        caption = f"No {bared[:1].lower()}{bared[1:]}"
    else:
        return None
    denied = any(NEGATION.search(text) for text in doc.near_to(st.text, 0.5, st))
    return None if denied else (st.organs[0], caption)


@hallucinated
def negation_removed(rng: Random, doc: Document, st: Statement) -> Claim | None:
    if len(NEGATION.findall(st.text)) != 1 or re.search(r"\bother\b|\bresolved\b|\bnegative\b", st.text):
        return None
    rules = (
        (rf"\b({BE}) not (?={SEEN}|enlarged|dilated|thickened)", r"\1 "),
        (r"^No (?:evidence (?:of|for) )?(?:an? )?(?=[^,]*\b(?:is|are|was|were)\b)", ""),
        (r"\b(There (?:is|are|was|were)) no (?:evidence (?:of|for) )?", r"\1 "),
        (r" without (?:evidence of )?", " with "),
        (r"\band no ", "and "),
    )
    for old, new in rules:
        caption = re.sub(old, new, st.text, count=1)
        if caption != st.text:
            affirmed = any(not NEGATION.search(text) for text in doc.near_to(st.text, 0.5, st))
            return None if affirmed else (st.organs[0], capital(caption))
    return None


@hallucinated
def negation_cut_off(rng: Random, doc: Document, st: Statement) -> Claim | None:
    """A verbatim piece of the statement, without the negation that stands behind or before it."""
    if len(NEGATION.findall(st.text)) != 1 or re.search(r"\bother\b|\bresolved\b|\bwhere\b", st.text):
        return None
    if (match := re.match(rf"^(.+?),? {BE} not {SEEN}\b", st.text)) or (
        match := re.match(
            rf"^(?:There (?:is|are|was|were) )?[Nn]o (?:evidence (?:of|for) )?([^,]+?)(?: {BE} {SEEN}\b.*)?\.?$",
            st.text,
        )
    ):
        caption = match[1]
    else:
        return None
    affirmed = any(not NEGATION.search(text) for text in doc.near_to(caption, 0.5, st))
    return None if affirmed or not re.search(FINDING, caption) or len(caption.split()) < 2 else (st.organs[0], caption)


@hallucinated
def hedge_removed(rng: Random, doc: Document, st: Statement) -> Claim | None:
    if re.search(r"\b(?:could|can|cannot) be (?:seen|observed|evaluated)", st.text):
        return None
    for old, new in _HEDGES:
        caption = re.sub(old, new, st.text, count=1, flags=re.IGNORECASE)
        if caption != st.text and not HEDGE.search(caption):
            firm = any(not HEDGE.search(text) for text in doc.near_to(st.text, 0.3, st))
            return None if firm else (st.organs[0], capital(caption))
    return None


@hallucinated
def hedge_added(rng: Random, doc: Document, st: Statement) -> Claim | None:
    hedged = any(HEDGE.search(text) for text in doc.near_to(st.text, 0.4, st))
    return None if hedged else inserted(rng, doc, st, _ADDED_HEDGE)


@hallucinated
def normal_for_abnormal(rng: Random, doc: Document, st: Statement) -> Claim | None:
    organ = st.organ
    if (
        organ is None
        or not st.positive
        or organ in {"pleura", "lymph nodes", "mediastinum", "vertebrae"}
        or not re.search(FINDING, st.text, re.I)
    ):
        return None
    bare_name = organ.removeprefix("left ").removeprefix("right ")
    fine = [
        text
        for text in doc.everything
        if (NORMAL.search(text) or NEGATION.search(text)) and {organ, bare_name, bare_name + "s"} & set(organs_in(text))
    ]
    verb = "are" if organ.endswith("s") and organ not in {"pancreas", "uterus", "esophagus"} else "is"
    return (
        None
        if fine or ALL_ORGANS.search(doc.text)
        else (organ, f"The {organ} {verb} {rng.choice(['normal', 'unremarkable', 'within normal limits'])}.")
    )
