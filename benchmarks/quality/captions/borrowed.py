"""Hallucinated captions: words that belong to another organ, another statement or another report."""

from __future__ import annotations

import re
from random import Random

from benchmarks.quality.captions.kinds import (
    BE,
    FINDING,
    SEEN,
    Claim,
    hallucinated,
    organ_of,
    replace_match,
    without_article,
)
from benchmarks.quality.captions.statements import (
    ALL_ORGANS,
    NEGATION,
    NORMAL,
    SIDES,
    Document,
    Statement,
    organs_in,
    silent_organs,
    stems,
)

FOREIGN: list[Statement] = []
"""Statements of all reports of the run; the runner sets them before it asks for captions."""

_ANY_FINDING = re.compile(rf"\b(?:{FINDING}|emphysem\w+|atelecta\w+|bronchiecta\w+|calcif\w+)\b", re.IGNORECASE)

_SINGULAR = (
    "nodule", "mass", "consolidation", "effusion", "cyst", "calculus", "fracture", "calcification", "hernia",
    "aneurysm", "thrombus", "hematoma", "abscess", "stenosis", "hemorrhage", "infarct", "polyp", "diverticulum",
    "bulla", "pneumothorax",
)  # fmt: skip

_PLURAL = (
    "nodules", "masses", "cysts", "calculi", "fractures", "metastases", "bullae", "abscesses", "hematomas", "varices",
    "polyps",
)  # fmt: skip

_WIDE = {
    "infiltration", "infiltrations", "infiltrate", "infiltrates", "lesion", "lesions", "density", "densities",
    "opacity", "opacities",
}  # fmt: skip

_AT_PLACE = re.compile(rf"^([^,;:]+?)( {BE} {SEEN})? in (?!favor)(?:the )?([^,;:]+?)\.?$")

_SWAPS = {
    "liver": "spleen", "spleen": "pancreas", "pancreas": "liver", "kidney": "adrenal gland",
    "kidneys": "adrenal glands", "gallbladder": "stomach", "heart": "thyroid", "aorta": "esophagus",
    "esophagus": "trachea", "trachea": "aorta", "lung": "kidney", "lungs": "kidneys", "adrenal glands": "kidneys",
    "adrenal gland": "kidney", "bladder": "gallbladder", "prostate": "bladder", "uterus": "prostate",
    "stomach": "colon", "pleural": "pericardial", "pericardial": "pleural", "hepatic": "splenic", "renal": "hepatic",
    "appendix": "gallbladder", "thyroid": "liver",
}  # fmt: skip

_UNRELATED = (
    "liver", "spleen", "pancreas", "thyroid", "prostate", "brain", "urinary bladder", "stomach", "gallbladder", "heart",
    "esophagus",
)  # fmt: skip


def foreign_statement(doc: Document, rng: Random, positive: bool) -> Statement | None:
    """Return a statement of another report with a finding of which this one has not even the beginning of the word."""
    for _ in range(20):
        candidate = rng.choice(FOREIGN)
        findings = [match.group().lower()[:5] for match in _ANY_FINDING.finditer(candidate.text)]
        if candidate.positive == positive and any(start not in doc.flat for start in findings):
            return candidate
    return None


def same_finding(word: str, other_word: str) -> bool:
    """Return whether two words may stand for one finding."""
    pairs = ({"stone", "calcu"}, {"hemor", "hemat"}, {"calcu", "calci"}, {"nodul", "lesio"}, {"thick", "swell"})
    beginning, other_beginning = word.lower()[:5], other_word.lower()[:5]
    return beginning == other_beginning or {beginning, other_beginning} in pairs


@hallucinated
def finding_swapped(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    matches = list(re.finditer(rf"\b{FINDING}\b", statement.text, re.IGNORECASE))
    if not matches:
        return None
    match = rng.choice(matches)
    if match.group().lower() in _WIDE and NEGATION.search(statement.text):
        return None  # where no lesion is, no cyst is
    plural = match.group().lower().endswith(("s", "i")) and not match.group().lower().endswith(("ss", "us", "is"))
    fresh = [word for word in (_PLURAL if plural else _SINGULAR) if word[:5] not in doc.flat]
    new = rng.choice([word for word in fresh if not same_finding(word, match.group())] or [""])
    if not new or doc.echoes(statement.text, new, 0.0):
        return None
    return statement.organs[0], replace_match(statement.text, match, new)


@hallucinated
def finding_swapped_within(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Put the finding of another statement of the report into this one."""
    match = re.search(rf"\b{FINDING}\b", statement.text, re.IGNORECASE)
    if not match or not statement.positive or match.group().lower() in _WIDE:
        return None
    findings = {m.group().lower() for text in doc.everything for m in re.finditer(rf"\b{FINDING}\b", text, re.I)}
    fitting = [word for word in sorted(findings - _WIDE) if word[-1] == match.group()[-1].lower()]
    new = rng.choice([word for word in fitting if not same_finding(word, match.group())] or [""])
    if not new or doc.echoes(statement.text, new, 0.2):
        return None
    elsewhere = [text for text in doc.everything if stems(new) <= stems(text)]
    shared = any(organ in organs_in(text) for text in elsewhere for organ in statement.organs)
    return None if shared else (statement.organs[0], replace_match(statement.text, match, new))


@hallucinated
def organ_swapped(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    matches = [m for word in _SWAPS for m in re.finditer(rf"\b{word}\b", statement.text, re.IGNORECASE)]
    if len(set(statement.organs)) != 1 or len(matches) != 1:
        return None
    new = _SWAPS[matches[0].group().lower()]
    caption = replace_match(statement.text, matches[0], new)
    organ = organ_of(caption, statement)
    if organ in statement.organs or any(
        organ_of(new, statement) in (*organs_in(text), *organs_in(SIDES.sub("", text)))
        for text in doc.near_to(statement.text, 0.25, statement)
    ):
        return None
    normal = NORMAL.search(statement.text) or NEGATION.search(statement.text)
    if normal and (ALL_ORGANS.search(doc.text) or organs_in(new)[0] not in silent_organs(doc.text)):
        return None
    return organ, caption


@hallucinated
def organ_field_wrong(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    named = set(statement.organs)
    if (
        ALL_ORGANS.search(statement.text)
        or named & {"lymph nodes", "vertebrae", "ribs"}
        or re.search(r"hernia|abdom|mediast|wall|soft|fluid|ducts?", statement.text, re.I)
    ):
        return None
    near = {"heart": {"pericardium", "coronary arteries", "aorta"}, "stomach": {"esophagus"}, "esophagus": {"stomach"}}
    stem_clash = {"gallbladder": "bladder", "urinary bladder": "gallbladder"}
    options = [
        name
        for name in _UNRELATED
        if name not in named and not near.get(name, set()) & named and stem_clash.get(name) not in named
    ]
    return rng.choice(options), statement.text


@hallucinated
def clause_of_another_report(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    if (foreign := foreign_statement(doc, rng, positive=True)) is None:
        return None
    tail = without_article(foreign.text).rstrip(".")
    joint = rng.choice([" and ", ", with ", "; "])
    return statement.organs[0], f"{statement.text.rstrip('. ')}{joint}{tail[:1].lower()}{tail[1:]}."


@hallucinated
def two_statements_merged(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Put the finding of one statement at the place of another, preferably of the same organ."""
    parts = _AT_PLACE.match(statement.text)
    heads = {match.group() for match in re.finditer(FINDING, parts[1], re.I)} if parts and statement.positive else set()
    if not parts or not heads:
        return None
    places = [m[3] for candidate in doc.statements if candidate.positive and (m := _AT_PLACE.match(candidate.text))]
    rng.shuffle(places)
    places.sort(key=lambda place: not set(organs_in(place)) & set(statement.organs))
    for place in places:
        if organs_in(place) and not may_be_said_of(doc, heads, parts[3], place):
            article = "" if place.startswith("both") else "the "
            return organs_in(place)[0], f"{parts[1]}{parts[2] or ''} in {article}{place}."
    return None


def may_be_said_of(doc: Document, heads: set[str], first_place: str, place: str) -> bool:
    """Return whether findings at one place may, as far as a crude check shows, be reported at another place too."""
    if len(place.split()) > 8 or " in " in place or stems(place) & stems(first_place) - stems("left right lung lobe"):
        return True
    if stems(place) <= stems(first_place):
        return True
    if re.search(r"\bboth|\bbilat|\blungs\b", first_place) and "lung" in str(organs_in(place)):
        return True
    if re.search(r"\bboth|\bbilat", first_place) and {_without_side(organ) for organ in organs_in(first_place)} & {
        _without_side(organ) for organ in organs_in(place)
    }:
        return True  # what is in both kidneys is in the left one
    if re.search(r"mediastin|thorax|chest|abdom|pelvi", place):
        return True  # a region holds what is in its organs
    near = doc.near(stems(place), 0.4)
    return any(stems(" ".join(heads)) & stems(text) for text in near)


def _without_side(organ: str) -> str:
    """Return the name of an organ without its side: "kidney"."""
    return organ.removeprefix("left ").removeprefix("right ").removesuffix("s")


@hallucinated
def foreign_caption(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    foreign = foreign_statement(doc, rng, positive=rng.random() < 0.8)
    return (foreign.organs[0], foreign.text) if foreign else None
