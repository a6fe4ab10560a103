"""Hallucinated captions: the side, lobe, segment or level of a real statement changed or made up."""

from __future__ import annotations

import re
from random import Random

from benchmarks.quality.captions.kinds import (
    FINDING,
    Claim,
    capitalised,
    hallucinated,
    organ_of,
    replace_match,
    with_opposite_word,
)
from benchmarks.quality.captions.statements import HEDGE, NEGATION, SIDES, Document, Statement, organs_in, stems

_SEGMENT = {
    "apical": "lingular", "posterobasal": "anterobasal", "anterobasal": "posterobasal", "laterobasal": "mediobasal",
    "mediobasal": "laterobasal", "superior segment": "basal segment", "inferior lingula": "superior lingula",
    "superior lingula": "inferior lingula", "lingular": "apical", "apicoposterior": "anterior", "lingula": "apex",
    "apex": "base", "basal": "apical", "upper pole": "lower pole", "lower pole": "upper pole",
    "upper zone": "lower zone", "pancreatic tail": "pancreatic head", "tail of the pancreas": "head of the pancreas",
    "head of the pancreas": "tail of the pancreas", "pancreatic head": "pancreatic tail", "fundus": "antrum",
    "superior pole": "inferior pole", "inferior pole": "superior pole", "bases": "apices",
}  # fmt: skip
_SIDELESS = re.compile(
    r"\b(?:pleural effusion|renal cyst|kidney stone|renal calculus|pneumothorax|adrenal nodule|lung nodule|"
    r"hydronephrosis)\b",
    re.IGNORECASE,
)
_LEVEL = re.compile(
    r"\b([CTLDS])(\d{1,2})\b|\bsegment (\d)\b(?![.]\d)|"
    r"\b(\d{1,2})(?:st|nd|rd|th) (?=rib|vertebra|thoracic|costa|lumbar)"
)


@hallucinated
def side_flipped(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    sides = {word.lower() for word in SIDES.findall(statement.text)}
    if sides not in ({"left"}, {"right"}):
        return None
    old, new = ("left", "right") if sides == {"left"} else ("right", "left")
    if re.search(
        rf"{old} (?:anterior descending|coronary|main|ventric|atri|heart|paratracheal)", statement.text, re.IGNORECASE
    ):
        return None
    rest = re.sub(rf"\b{old}\b", "", statement.text, flags=re.IGNORECASE)
    if any(
        re.search(rf"\b(?:{new}|both|bilateral\w*|biba\w+)\b", text, re.IGNORECASE)
        for text in doc.near_to(rest, 0.3, statement)
    ):
        return None
    caption = re.sub(
        rf"\b{old}\b",
        lambda m: capitalised(new) if m.group()[0].isupper() else new,
        statement.text,
        flags=re.IGNORECASE,
    )
    return organ_of(caption, statement), caption


@hallucinated
def side_widened(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    match = re.search(
        r"\b(?:the )?(left|right) (lung|kidney|adrenal gland|maxillary sinus|breast)\b(?! (?:upper|middle|lower))",
        statement.text,
        re.I,
    )
    other_side = {"left": "right", "right": "left"}[match[1].lower()] if match else ""
    if (
        not match
        or len(SIDES.findall(statement.text)) != 1
        or NEGATION.search(statement.text)
        or re.search(r"lobe|segment", statement.text, re.I)
    ):
        return None
    rest = re.sub(r"\b(?:left|right)\b", "", statement.text, flags=re.IGNORECASE)
    if any(
        re.search(rf"\b(?:{other_side}|both|bilateral\w*)\b", text, re.I) for text in doc.near_to(rest, 0.3, statement)
    ):
        return None
    plural = {"maxillary sinus": "maxillary sinuses"}.get(match[2].lower(), match[2] + "s")
    return organ_of(plural, statement), replace_match(statement.text, match, f"both {plural}")


@hallucinated
def side_invented(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    match = _SIDELESS.search(statement.text)
    if not match or not statement.positive or SIDES.search(statement.text):
        return None
    side = rng.choice(["left", "right"])
    if any(SIDES.search(text) for text in doc.near(stems(match.group()), 0.5)):
        return None
    caption = replace_match(statement.text, match, f"{side} {match.group()[0].lower()}{match.group()[1:]}")
    return organ_of(caption, statement), re.sub(r"\b([Aa])n (?=left|right)", r"\1 ", caption)


@hallucinated
def organ_side_wrong(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Keep the statement and file it under the organ of the other side."""
    sides = {word.lower() for word in SIDES.findall(statement.text)}
    if (
        "lingul" in statement.text.lower()
        or sides not in ({"left"}, {"right"})
        or not statement.organ
        or not statement.organ.startswith(("left", "right"))
    ):
        return None
    return statement.organ.replace("left", "@").replace("right", "left").replace("@", "right"), statement.text


@hallucinated
def sides_crossed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Exchange left and right in a statement where each has its own finding or size."""
    sides = list(re.finditer(r"\b(left|right)\b", statement.text))
    if (
        len(sides) != 2
        or sides[0][1] == sides[1][1]
        or re.search(r"\bboth\b|bilat|main", statement.text)
        or NEGATION.search(statement.text)
    ):
        return None
    middle, tail = statement.text[sides[0].end() : sides[1].start()], statement.text[sides[1].end() :]
    if (
        len(middle.split()) < 4
        or not re.search(r"\d|" + FINDING, middle)
        or stems(middle) == stems(tail)
        or HEDGE.search(statement.text)
    ):
        return None
    near = [text for text in doc.near_to(statement.text, 0.3, statement) if SIDES.search(text)]
    caption = statement.text[: sides[0].start()] + sides[1][1] + middle + sides[0][1] + tail
    return None if near else (organs_in(caption)[0], caption)


@hallucinated
def lobe_changed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    matches = list(re.finditer(r"\b(upper|middle|lower)(?= lobes?\b)", statement.text, re.IGNORECASE))
    if len(matches) != 1:
        return None
    options = [
        name
        for name in ("upper", "middle", "lower")
        if name != matches[0][1].lower() and (name != "middle" or "left" not in statement.text)
    ]
    new = rng.choice(options)
    rest = statement.text.replace(matches[0].group(), "")
    clash = rf"\b{new} lobe|\b[rl]{new[0]}l\b|\b(?:both lungs|all lobes|lungs)\b" + (
        r"|lingul" if new == "upper" else ""
    )
    if re.search(clash, rest, re.I) or any(re.search(clash, text, re.I) for text in doc.near_to(rest, 0.3, statement)):
        return None
    return statement.organs[0], replace_match(statement.text, matches[0], new)


@hallucinated
def segment_changed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    return with_opposite_word(rng, doc, statement, _SEGMENT)


@hallucinated
def level_changed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    match = _LEVEL.search(statement.text)
    if not match:
        return None
    old = match[2] or match[3] or match[4]
    new = str(int(old) + rng.choice([-1, 1, 2])) if int(old) > 1 else "3"
    ordinal = {"1": "st", "2": "nd", "3": "rd"}.get(new, "th") + " " if match[4] else ""
    text = match.group().replace(old, new) if not match[4] else new + ordinal
    if re.search(rf"\b{re.escape(text.strip())}\b|-{new}\b", doc.text):
        return None
    return statement.organs[0], statement.text[: match.start()] + text + statement.text[match.end() :]


@hallucinated
def location_invented(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    if (
        not statement.positive
        or SIDES.search(statement.text)
        or "lungs" not in organs_in(statement.text)
        or re.search(r"lobe|segment|zone|base|apex|apical", statement.text, re.I)
    ):
        return None
    place = rng.choice(["right upper lobe", "left lower lobe", "left upper lobe", "right lower lobe"])
    if doc.echoes(statement.text, place, 0.3):
        return None
    return "lungs", f"{statement.text.rstrip('. ')}, in the {place}."
