"""Hallucinated captions: words that belong to another organ, another statement or another report."""

from __future__ import annotations

import re
from random import Random

from .kinds import BE, FINDING, SEEN, Claim, bare, flip, hallucinated, organ_of
from .statements import ALL_ORGANS, NEGATION, NORMAL, SIDES, Document, Statement, organs_in, silent_organs, stems

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
    pairs = ({"stone", "calcu"}, {"hemor", "hemat"}, {"calcu", "calci"}, {"nodul", "lesio"})
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
    others = [m.group().lower() for text in doc.everything for m in re.finditer(rf"\b{FINDING}\b", text, re.I)]
    wide = {
        "infiltration",
        "infiltrations",
        "infiltrate",
        "infiltrates",
        "lesion",
        "lesions",
        "density",
        "densities",
        "opacity",
        "opacities",
    }
    new = rng.choice(
        sorted({word for word in others if match and word not in wide and word[-1] == match.group()[-1].lower()})
        or [""]
    )
    if not match or not new or not st.positive or match.group().lower() in wide or doc.echoes(st.text, new, 0.2):
        return None
    told = [text for text in doc.everything if stems(new) <= stems(text)]
    if (
        any(organ in organs_in(text) for text in told for organ in st.organs)
        or stems(new) & stems(match.group())
        or alike(new, match.group())
    ):
        return None
    return st.organs[0], flip(st.text, match, new)


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
    """The finding of one statement at the place of another."""
    pattern = rf"^([^,;:]+?)( {BE} {SEEN})? in (?!favor)(?:the )?([^,;:]+?)\.?$"
    mine = re.match(pattern, st.text)
    others = [
        m
        for other in doc.statements
        if other.text != st.text and other.positive and (m := re.match(pattern, other.text))
    ]
    rng.shuffle(others)
    others.sort(key=lambda m: not set(organs_in(m[3])) & set(st.organs))
    for other in others:
        finding, place = bare(mine[1]) if mine and st.positive else "", other[3]
        heads = {match.group().lower() for match in re.finditer(FINDING, finding, re.I)}
        if (
            not heads
            or not organs_in(place)
            or len(place.split()) > 8
            or not mine
            or stems(place) & stems(mine[3]) - stems("left right lung lobe")
        ):
            continue
        if stems(place) <= stems(mine[3]) or " in " in place:
            continue
        at_place = [
            text
            for text in doc.everything
            if stems(" ".join(heads)) & stems(text) and len(stems(text) & stems(place)) >= 0.4 * len(stems(place))
        ]
        whole = re.search(r"\b(?:both|bilateral|lungs)\b", mine[3], re.I) and "lung" in " ".join(organs_in(place))
        if not at_place and not whole:
            return organs_in(place)[0], f"{mine[1]}{mine[2] or ''} in the {place}."
    return None


@hallucinated
def foreign_caption(rng: Random, doc: Document, st: Statement) -> Claim | None:
    other = foreign_to(doc, rng, positive=rng.random() < 0.8)
    return (other.organs[0], other.text) if other else None
