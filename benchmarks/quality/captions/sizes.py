"""Hallucinated captions: the measurements and counts of a real statement changed or made up."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from random import Random

from benchmarks.quality.captions.kinds import FINDING, Claim, hallucinated, replace_match, with_opposite_word
from benchmarks.quality.captions.statements import NEGATION, Document, Statement

_SIZE = re.compile(r"(?<![\d.x×/-])(?<![x×] )(\d+(?:\.\d+)?)((?: ?[x×] ?\d+(?:\.\d+)?)*)( ?)(mm|cm)\b")
_PLACE = re.compile(
    r"\b(?:left|right|upper|middle|lower|anterior|posterior|lobe|segment\w*|pole|lingul\w*|ascending|descending|arch)\b",
    re.IGNORECASE,
)


def with_other_size(
    doc: Document, statement: Statement, match: re.Match[str], sizes: Sequence[str], unit: str
) -> Claim | None:
    """Return the caption with another measurement; None where the report has any of its new figures anywhere."""
    old = re.findall(r"\d+(?:\.\d+)?", match.group())
    for size in set(sizes) - set(old) if unit == match[4] else sizes:
        values = {f"{size}", f"{float(size) * 10:g}", f"{float(size) / 10:g}"} if unit == match[4] else {size}
        if any(
            re.search(rf"(?<![\d.]){re.escape(value)}(?![\d.]?\d)(?: ?[x×] ?[\d.]+)* ?{unit}", doc.text)
            for value in values
        ):
            return None
    text = f"{' x '.join(sizes)}{match[3]}{unit}"
    return statement.organs[0], statement.text[: match.start()] + text + statement.text[match.end() :]


def random_measurement(rng: Random, statement: Statement) -> tuple[re.Match[str], list[str]] | None:
    matches = list(_SIZE.finditer(statement.text))
    match = rng.choice(matches) if matches else None
    return (match, re.findall(r"\d+(?:\.\d+)?", match[1] + match[2])) if match else None


@hallucinated
def number_changed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    if not (measurement := random_measurement(rng, statement)):
        return None
    match, sizes = measurement
    change: Callable[[float], float] = rng.choice([lambda x: x + 10, lambda x: x * 2, lambda x: x * 3])
    sizes[0] = f"{round(change(float(sizes[0])), 2):g}"
    return with_other_size(doc, statement, match, sizes, match[4])


@hallucinated
def number_off_by_a_little(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    if not (measurement := random_measurement(rng, statement)):
        return None
    match, sizes = measurement
    at = rng.randrange(len(sizes))
    step = 0.1 if "." in sizes[at] else 1
    sizes[at] = f"{round(float(sizes[at]) + step, 2):g}"
    return with_other_size(doc, statement, match, sizes, match[4])


@hallucinated
def unit_changed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    if not (measurement := random_measurement(rng, statement)):
        return None
    match, sizes = measurement
    return with_other_size(doc, statement, match, sizes, "cm" if match[4] == "mm" else "mm")


@hallucinated
def dimension_changed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    if not (measurement := random_measurement(rng, statement)) or len(measurement[1]) < 2:
        return None
    match, sizes = measurement
    return with_other_size(doc, statement, match, [f"{round(float(sizes[0]) * 1.5 + 1, 1):g}"], match[4])


@hallucinated
def dimension_added(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    if not (measurement := random_measurement(rng, statement)):
        return None
    match, sizes = measurement
    return with_other_size(doc, statement, match, [*sizes, f"{round(float(sizes[-1]) * 0.7 + 0.3, 1):g}"], match[4])


@hallucinated
def measurement_invented(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    if (
        not statement.positive
        or re.search(r"\d", statement.text)
        or not re.search(rf"\b{FINDING}\b", statement.text, re.I)
    ):
        return None
    size = f"{rng.choice([4, 7, 12, 18, 23, 31])} mm"
    return (
        None
        if size in doc.text
        else (
            statement.organs[0],
            f"{statement.text.rstrip('. ')}{rng.choice([', measuring ', ' up to ', ' with a diameter of '])}{size}.",
        )
    )


@hallucinated
def attributes_crossed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Exchange two sizes of one statement that belong to different places."""
    sizes = list(
        re.finditer(r"(?<![\d.x×/-])(?<![x×] )\d+(?:\.\d+)?(?: ?[x×] ?\d+(?:\.\d+)?)* ?(?:mm|cm)\b", statement.text)
    )
    if len(sizes) != 2 or sizes[0].group() == sizes[1].group() or re.search(r"\bfrom\b|\bto\b|between", statement.text):
        return None
    first, second = sizes
    middle, tail, head = (
        statement.text[first.end() : second.start()],
        statement.text[second.end() :],
        statement.text[: first.start()],
    )
    if not _PLACE.search(middle) or not _PLACE.search(tail + head) or re.search(r"respectively", statement.text):
        return None
    return statement.organs[0], head + second.group() + middle + first.group() + tail


@hallucinated
def quantity_changed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    if NEGATION.search(statement.text):
        return None
    words = {
        "two": "three",
        "three": "five",
        "multiple": "solitary",
        "several": "two",
        "few": "numerous",
        "numerous": "few",
        "single": "multiple",
    }
    if any(re.search(rf"\b{word}\b", statement.text, re.I) for word in words):
        return with_opposite_word(rng, doc, statement, words)
    match = re.search(
        r"\b[Aa]n? ((?:[\w.-]+ ){0,4}(?:nodule|cyst|stone|calculus|fracture|lesion|mass))\b", statement.text
    )
    if not match or not statement.positive or doc.echoes(statement.text, "multiple several numerous few some two both"):
        return None
    noun = (
        re.sub(r"us$", "i", match[1])
        if match[1].endswith("calculus")
        else match[1] + ("es" if match[1].endswith("ss") else "s")
    )
    caption = replace_match(statement.text, match, f"multiple {noun}")
    return statement.organs[0], re.sub(r"\b(is|was)\b", lambda m: {"is": "are", "was": "were"}[m[1]], caption, count=1)
