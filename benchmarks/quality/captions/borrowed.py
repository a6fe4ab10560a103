"""Hallucinated captions: words that belong to another organ, another statement or another report."""

from __future__ import annotations

import re
from random import Random

from benchmarks.quality.captions.kinds import BE, FINDING, SEEN, Claim, bare, flip, hallucinated, organ_of
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


def foreign_to(doc: Document, rng: Random, positive: bool) -> Statement | None:
    """A statement of another report with a finding of which this one has not even the beginning of the word."""
    for _ in range(20):
        other = rng.choice(FOREIGN)
        findings = [match.group().lower()[:5] for match in _ANY_FINDING.finditer(other.text)]
        if other.positive == positive and any(start not in doc.flat for start in findings):
            return other
    return None


def alike(one: str, other: str) -> bool:
    """Two words for one finding."""
    pairs = ({"stone", "calcu"}, {"hemor", "hemat"}, {"calcu", "calci"}, {"nodul", "lesio"}, {"thick", "swell"})
    return one.lower()[:5] == other.lower()[:5] or {one.lower()[:5], other.lower()[:5]} in pairs


@hallucinated
def finding_swapped(rng: Random, doc: Document, st: Statement) -> Claim | None:
    found = list(re.finditer(rf"\b{FINDING}\b", st.text, re.IGNORECASE))
    if not found:
        return None
    match = rng.choice(found)
    plural = match.group().lower().endswith(("s", "i")) and not match.group().lower().endswith(("ss", "us", "is"))
    fresh = [word for word in (_PLURAL if plural else _SINGULAR) if word[:5] not in doc.flat]
    new = rng.choice([word for word in fresh if not alike(word, match.group())] or [""])
    return (st.organs[0], flip(st.text, match, new)) if new and not doc.echoes(st.text, new, 0.0) else None


@hallucinated
def finding_swapped_within(rng: Random, doc: Document, st: Statement) -> Claim | None:
    """The finding of another statement of the report, put into this one."""
    match = re.search(rf"\b{FINDING}\b", st.text, re.IGNORECASE)
    if not match or not st.positive or match.group().lower() in _WIDE:
        return None
    told = {m.group().lower() for text in doc.everything for m in re.finditer(rf"\b{FINDING}\b", text, re.I)}
    fitting = [word for word in sorted(told - _WIDE) if word[-1] == match.group()[-1].lower()]
    new = rng.choice([word for word in fitting if not alike(word, match.group())] or [""])
    if not new or doc.echoes(st.text, new, 0.2):
        return None
    elsewhere = [text for text in doc.everything if stems(new) <= stems(text)]
    shared = any(organ in organs_in(text) for text in elsewhere for organ in st.organs)
    return None if shared else (st.organs[0], flip(st.text, match, new))


@hallucinated
def organ_swapped(rng: Random, doc: Document, st: Statement) -> Claim | None:
    found = [m for word in _SWAPS for m in re.finditer(rf"\b{word}\b", st.text, re.IGNORECASE)]
    if len(set(st.organs)) != 1 or len(found) != 1:
        return None
    new = _SWAPS[found[0].group().lower()]
    caption = flip(st.text, found[0], new)
    organ = organ_of(caption, st)
    if organ in st.organs or any(
        organ_of(new, st) in (*organs_in(text), *organs_in(SIDES.sub("", text)))
        for text in doc.near_to(st.text, 0.25, st)
    ):
        return None
    normal = NORMAL.search(st.text) or NEGATION.search(st.text)
    if normal and (ALL_ORGANS.search(doc.text) or organs_in(new)[0] not in silent_organs(doc.text)):
        return None
    return organ, caption


@hallucinated
def organ_field_wrong(rng: Random, doc: Document, st: Statement) -> Claim | None:
    taken = set(st.organs)
    if (
        ALL_ORGANS.search(st.text)
        or taken & {"lymph nodes", "vertebrae", "ribs"}
        or re.search(r"hernia|abdom|mediast|wall|soft|fluid|ducts?", st.text, re.I)
    ):
        return None
    near = {"heart": {"pericardium", "coronary arteries", "aorta"}, "stomach": {"esophagus"}, "esophagus": {"stomach"}}
    stem_clash = {"gallbladder": "bladder", "urinary bladder": "gallbladder"}
    options = [
        name
        for name in _UNRELATED
        if name not in taken and not near.get(name, set()) & taken and stem_clash.get(name) not in taken
    ]
    return rng.choice(options), st.text


@hallucinated
def clause_of_another_report(rng: Random, doc: Document, st: Statement) -> Claim | None:
    if (other := foreign_to(doc, rng, positive=True)) is None:
        return None
    tail = bare(other.text).rstrip(".")
    return st.organs[0], f"{st.text.rstrip('. ')}{rng.choice([' and ', ', with ', '; '])}{tail[:1].lower()}{tail[1:]}."


@hallucinated
def two_statements_merged(rng: Random, doc: Document, st: Statement) -> Claim | None:
    """The finding of one statement at the place of another; the same organ's place rather than another's."""
    mine = _AT_PLACE.match(st.text)
    heads = {match.group() for match in re.finditer(FINDING, mine[1], re.I)} if mine and st.positive else set()
    if not mine or not heads:
        return None
    places = [m[3] for other in doc.statements if other.positive and (m := _AT_PLACE.match(other.text))]
    rng.shuffle(places)
    places.sort(key=lambda place: not set(organs_in(place)) & set(st.organs))
    for place in places:
        if organs_in(place) and not may_hold(doc, heads, mine[3], place):
            return organs_in(place)[
                0
            ], f"{mine[1]}{mine[2] or ''} in {'' if place.startswith('both') else 'the '}{place}."
    return None


def may_hold(doc: Document, heads: set[str], own: str, place: str) -> bool:
    """Whether findings, told of one place, may for all that a crude check can tell be told of another, too."""
    if len(place.split()) > 8 or " in " in place or stems(place) & stems(own) - stems("left right lung lobe"):
        return True
    if stems(place) <= stems(own) or (re.search(r"\bboth|\bbilat|\blungs\b", own) and "lung" in str(organs_in(place))):
        return True
    near = doc.near(stems(place), 0.4)
    return any(stems(" ".join(heads)) & stems(text) for text in near)


@hallucinated
def foreign_caption(rng: Random, doc: Document, st: Statement) -> Claim | None:
    other = foreign_to(doc, rng, positive=rng.random() < 0.8)
    return (other.organs[0], other.text) if other else None
