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
    capitalised,
    hallucinated,
    with_inserted_word,
    without_article,
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
def negation_added(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    if (
        NEGATION.search(statement.text)
        or HEDGE.search(statement.text)
        or len(re.findall(rf"\b{BE} {SEEN}", statement.text)) > 1
    ):
        return None
    if match := re.search(
        rf"\b(?:({BE}) ({SEEN}|normal|unremarkable|natural|enlarged|increased|dilated|intact|open)\b)", statement.text
    ):
        caption = f"{statement.text[: match.start()]}{match[1]} not {match[2]}{statement.text[match.end() :]}"
    elif match := re.match(r"There (is|are) (?:an? )?", statement.text):
        caption = f"There {match[1]} no {statement.text[match.end() :]}"
    elif (match := NOUN_PHRASE.search(statement.text)) and statement.positive and match.start() < 3:
        bared = without_article(statement.text)
        caption = f"No {bared[:1].lower()}{bared[1:]}"
    else:
        return None
    denied = any(NEGATION.search(text) for text in doc.near_to(statement.text, 0.5, statement))
    return None if denied else (statement.organs[0], caption)


@hallucinated
def negation_removed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    if len(NEGATION.findall(statement.text)) != 1 or re.search(r"\bother\b|\bresolved\b|\bnegative\b", statement.text):
        return None
    rules = (
        (rf"\b({BE}) not (?={SEEN}|enlarged|dilated|thickened)", r"\1 "),
        (r"^No (?:evidence (?:of|for) )?(?:an? )?(?=[^,]*\b(?:is|are|was|were)\b)", ""),
        (r"\b(There (?:is|are|was|were)) no (?:evidence (?:of|for) )?", r"\1 "),
        (r" without (?:evidence of )?", " with "),
        (r"\band no ", "and "),
    )
    for old, new in rules:
        caption = re.sub(old, new, statement.text, count=1)
        if caption != statement.text:
            affirmed = any(not NEGATION.search(text) for text in doc.near_to(statement.text, 0.5, statement))
            return None if affirmed else (statement.organs[0], capitalised(caption))
    return None


@hallucinated
def negation_cut_off(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Quote a piece of the statement without the negation that stands behind or before it."""
    if len(NEGATION.findall(statement.text)) != 1 or re.search(r"\bother\b|\bresolved\b|\bwhere\b", statement.text):
        return None
    if (match := re.match(rf"^(.+?),? {BE} not {SEEN}\b", statement.text)) or (
        match := re.match(
            rf"^(?:There (?:is|are|was|were) )?[Nn]o (?:evidence (?:of|for) )?([^,]+?)(?: {BE} {SEEN}\b.*)?\.?$",
            statement.text,
        )
    ):
        caption = match[1]
    else:
        return None
    affirmed = any(not NEGATION.search(text) for text in doc.near_to(caption, 0.5, statement))
    return (
        None
        if affirmed or not re.search(FINDING, caption) or len(caption.split()) < 2
        else (statement.organs[0], caption)
    )


@hallucinated
def hedge_removed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    if re.search(r"\b(?:could|can|cannot) be (?:seen|observed|evaluated)", statement.text):
        return None
    for old, new in _HEDGES:
        caption = re.sub(old, new, statement.text, count=1, flags=re.IGNORECASE)
        if caption != statement.text and not HEDGE.search(caption):
            firm = any(not HEDGE.search(text) for text in doc.near_to(statement.text, 0.3, statement))
            return None if firm else (statement.organs[0], capitalised(caption))
    return None


@hallucinated
def hedge_added(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    hedged = any(HEDGE.search(text) for text in doc.near_to(statement.text, 0.4, statement))
    return None if hedged else with_inserted_word(rng, doc, statement, _ADDED_HEDGE)


@hallucinated
def normal_for_abnormal(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    organ = statement.organ
    if (
        organ is None
        or not statement.positive
        or organ in {"pleura", "lymph nodes", "mediastinum", "vertebrae"}
        or not re.search(FINDING, statement.text, re.I)
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
