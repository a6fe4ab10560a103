"""Hallucinated captions: severity, time, comparison and other attributes of a real finding changed or added."""

from __future__ import annotations

import re
from random import Random

from benchmarks.quality.captions.kinds import Claim, hallucinated, with_inserted_word, with_opposite_word
from benchmarks.quality.captions.statements import Document, Statement

_SEVERITY = {
    "minimal": "severe", "mild": "severe", "mildly": "severely", "slight": "marked", "slightly": "markedly",
    "moderate": "mild", "moderately": "mildly", "marked": "minimal", "markedly": "minimally", "severe": "mild",
    "severely": "mildly", "large": "small", "small": "large", "tiny": "huge", "massive": "minimal",
    "extensive": "minimal", "diffuse": "focal", "focal": "diffuse", "prominent": "subtle", "subtle": "prominent",
    "millimetric": "giant", "minimally": "markedly", "punctate": "large", "mildest": "worst",
}  # fmt: skip

_COMPARISON = {
    "increased": "decreased", "increase": "decrease", "decreased": "increased", "decrease": "increase",
    "larger": "smaller", "smaller": "larger", "progression": "regression", "regression": "progression",
    "enlarged": "shrunken", "thickened": "thinned", "thickening": "thinning", "elevated": "depressed",
    "narrowing": "widening", "narrowed": "widened", "dilated": "narrowed", "improved": "worsened",
    "worsened": "improved", "elevation": "depression", "stable": "growing", "unchanged": "enlarged", "new": "old",
    "resolved": "persistent", "loss": "gain",
}  # fmt: skip

_ATTRIBUTE = {
    "hypodense": "hyperdense", "hyperdense": "hypodense", "solid": "cystic", "cystic": "solid",
    "calcified": "noncalcified", "peripheral": "central", "central": "peripheral", "medial": "lateral",
    "lateral": "medial", "nonspecific": "specific", "noncalcified": "calcified", "benign": "malignant",
    "malignant": "benign", "simple": "complex", "complex": "simple", "nonobstructing": "obstructing",
    "obstructing": "nonobstructing", "smooth": "irregular", "irregular": "smooth", "acute": "chronic",
    "chronic": "acute", "centrilobular": "paraseptal", "low": "high", "homogeneous": "heterogeneous",
    "sliding": "paraesophageal", "hypoattenuating": "hyperattenuating", "nondisplaced": "displaced",
    "displaced": "nondisplaced", "distal": "proximal", "proximal": "distal", "anterior": "posterior",
    "posterior": "anterior", "ascending": "descending", "descending": "ascending", "axillary": "inguinal",
    "thoracic": "lumbar", "lumbar": "thoracic", "cervical": "lumbar", "intrahepatic": "extrahepatic",
    "subpleural": "perihilar", "patchy": "confluent", "well-defined": "ill-defined", "partial": "complete",
}  # fmt: skip


_ADDED_SEVERITY = dict.fromkeys(
    ("severe", "massive", "extensive", "large", "marked"),
    "sever|massiv|exten|larg|mark|diffus|advanc|promin|signific|big",
) | {"mild": "mild|slight|minim|small|trace|tiny|few|little"}
_ADDED_TIME = {
    "new": "new|develop|appear|recent",
    "increased": "increas|progress|grow|grew|larger|enlarg",
    "progressive": "progress|increas|grow|grew",
    "stable": "stab|unchang|no change|no difference|same",
    "unchanged": "stab|unchang|no change|no difference|same",
    "acute": "acut|new|recent|fresh",
    "chronic": "chron|old|sequel|long",
    "old": "old|chron|sequel|heal",
    "residual": "resid|remain|persist",
    "recurrent": "recur|relaps",
}
_ADDED_NATURE = {
    "malignant": "malign|metas|cancer|carcin|tumo|neopl|mass",
    "metastatic": "metas|malign|cancer|carcin|tumo|primary",
    "neoplastic": "neopl|malign|metas|tumo|cancer|carcin|mass",
    "benign": "benign|hamart|hemang|haemang",
    "suspicious": "suspic|suspec|malign|metas",
    "inflammatory": "inflam|infec|pneumon|react",
    "infectious": "infec|pneumon|covid|viral|inflam",
}
_ADDED_ATTRIBUTE = {
    "calcified": "calc",
    "spiculated": "spic|irregular",
    "necrotic": "necro",
    "enhancing": "enhan|contrast",
    "cavitary": "cavi",
    "loculated": "locul",
    "irregular": "irreg|spic|lobul",
    "round": "round|nodul|oval",
}


@hallucinated
def severity_changed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    return with_opposite_word(rng, doc, statement, _SEVERITY)


@hallucinated
def severity_added(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    return (
        None
        if re.search("|".join(_SEVERITY), statement.text, re.I)
        else with_inserted_word(rng, doc, statement, _ADDED_SEVERITY)
    )


@hallucinated
def time_invented(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    return with_inserted_word(rng, doc, statement, _ADDED_TIME)


@hallucinated
def comparison_flipped(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    return with_opposite_word(rng, doc, statement, _COMPARISON)


@hallucinated
def attribute_flipped(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    return with_opposite_word(rng, doc, statement, _ATTRIBUTE)


@hallucinated
def malignancy_added(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    return with_inserted_word(rng, doc, statement, _ADDED_NATURE)


@hallucinated
def attribute_added(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    return with_inserted_word(rng, doc, statement, _ADDED_ATTRIBUTE)
