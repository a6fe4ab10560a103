"""Rewrites: other spelling, abbreviations, and other words for the same organ or the same finding."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .rewriting import Edit, Rewrite, changed, with_case_of

# (American, British), as parts of words from their beginning.
SPELLINGS = (
    ("esophag", "oesophag"), ("hemorrhag", "haemorrhag"), ("hematoma", "haematoma"), ("tumor ", "tumour "),
    ("tumors", "tumours"), ("edema", "oedema"), ("caliber", "calibre"), ("center ", "centre "), ("gray", "grey"),
    ("fiber", "fibre"), ("visualized", "visualised"), ("hemangioma", "haemangioma"), ("localized", "localised"),
    ("fecal", "faecal"), ("anemia", "anaemia"), ("ischemi", "ischaemi"), ("cecum", "caecum"), ("goiter", "goitre"),
    ("orthopedic", "orthopaedic"), ("characterized", "characterised"), ("hemothorax", "haemothorax"),
    ("gynecolog", "gynaecolog"), ("recognized", "recognised"), ("organized", "organised"),
    ("neighboring", "neighbouring"), ("mineralization", "mineralisation"), ("generalized", "generalised"),
    ("intervertebral disk", "intervertebral disc"), ("disk space", "disc space"), ("disk bulg", "disc bulg"),
    ("disk herniation", "disc herniation"), ("localization", "localisation"), ("hypovolemi", "hypovolaemi"),
)  # fmt: skip
ABBREVIATIONS = (
    ("right upper lobe", "RUL"), ("right middle lobe", "RML"), ("right lower lobe", "RLL"), ("left upper lobe", "LUL"),
    ("left lower lobe", "LLL"), ("inferior vena cava", "IVC"), ("superior vena cava", "SVC"),
    ("common bile duct", "CBD"), ("superior mesenteric artery", "SMA"), ("superior mesenteric vein", "SMV"),
    ("gastroesophageal junction", "GE junction"), ("ureteropelvic junction", "UPJ"),
    ("ureterovesical junction", "UVJ"), ("left anterior descending artery", "LAD"), ("computed tomography", "CT"),
    ("abdominal aortic aneurysm", "AAA"), ("pulmonary embolism", "PE"), ("common hepatic duct", "CHD"),
    ("inferior mesenteric artery", "IMA"), ("right upper quadrant", "RUQ"), ("left upper quadrant", "LUQ"),
    ("right lower quadrant", "RLQ"), ("left lower quadrant", "LLQ"), ("ground-glass opacities", "GGOs"),
    ("ground-glass opacity", "GGO"), ("ground glass opacities", "GGOs"), ("ground glass opacity", "GGO"),
    ("left ventricle", "LV"), ("right ventricle", "RV"),
)  # fmt: skip
# Pairs of which the second means the first in any report of a CT; "\1" is what a group in brackets matched.
SYNONYMS: tuple[tuple[str, str], ...] = (
    (r"hepatic (cysts?|lesions?|mass(?:es)?|metastases|parenchyma|steatosis|contours?|size|dimensions?)", r"liver \1"),
    (r"liver (cysts?|lesions?|mass(?:es)?|metastases|parenchyma|contours?|size|dimensions?)", r"hepatic \1"),
    (r"renal (cysts?|stones?|calcul(?:i|us)|mass(?:es)?|lesions?)", r"kidney \1"),
    (r"kidney (cysts?|stones?|mass(?:es)?|lesions?)", r"renal \1"),
    (r"pulmonary (nodules?|mass(?:es)?|parenchyma|metastases)", r"lung \1"),
    (r"lung (nodules?|mass(?:es)?|parenchyma|metastases)", r"pulmonary \1"),
    (r"heart (size|contours?|dimensions?)", r"cardiac \1"),
    (r"cardiac (size|contours?|dimensions?)", r"heart \1"),
    (r"(?<!gall )(?<!urinary )(?<!the gall )\bbladder", "urinary bladder"),
    (r"gallbladder", "gall bladder"),
    (r"osseous structures", "bony structures"),
    (r"bone structures", "osseous structures"),
    (r"lymphadenopathy", "adenopathy"),
    (r"adrenal glands", "adrenals"),
    (r"thyroid gland", "thyroid"),
    (r"prostate gland", "prostate"),
)
FINDINGS: tuple[tuple[str, str], ...] = (
    (r"cholelithiasis", "gallstones"),
    (r"gallstones", "cholelithiasis"),
    (r"nephrolithiasis", "kidney stones"),
    (r"calculus", "stone"),
    (r"calculi", "stones"),
    (r"(?<!gall)(?<!gall )\bstones", "calculi"),
    (r"dilatation", "dilation"),
    (r"dilation", "dilatation"),
    (r"slight", "mild"),
    (r"slightly", "mildly"),
    (r"hypodense", "low-attenuation"),
    (r"hyperdense", "high-attenuation"),
    (r"sub-?centimetric", "subcentimeter"),
    (r"ground[- ]glass densit(?:y|ies)", "ground-glass opacities"),
    (r"hepatic steatosis", "fatty liver"),
    (r"cardiomegaly", "enlarged heart"),
    (r"patent", "open"),
)


def _exchanged(pairs: Sequence[tuple[str, str]], ending: str = r"\b") -> Edit:
    """Return the edit that writes the second of each pair for the first, in one pass, with the case of the first."""
    literal = {old.lower(): new for old, new in pairs if old != new}
    anywhere = re.compile(rf"\b(?:{'|'.join(sorted(literal, key=len, reverse=True))}){ending}", re.IGNORECASE)
    return lambda text, rng: changed(
        text, anywhere.sub(lambda match: with_case_of(match[0], literal[match[0].lower()]), text)
    )


def _abbreviated(pairs: Sequence[tuple[str, str]]) -> Edit:
    pattern = re.compile(rf"\b(?:{'|'.join(old for old, _ in pairs)})(?! (?:and|or|artery|branch)\b)\b", re.IGNORECASE)
    short = dict(pairs)
    return lambda text, rng: changed(text, pattern.sub(lambda match: short[match[0].lower()], text))


def _written_out(pairs: Sequence[tuple[str, str]]) -> Edit:
    words = {short: long for long, short in reversed(pairs) if short.isupper()}
    pattern = re.compile(rf"(?<![\w/-])(?:{'|'.join(words)})(?![\w/-])")
    return lambda text, rng: changed(
        text,
        pattern.sub(
            lambda match: words[match[0]].capitalize() if _opens(text, match.start()) else words[match[0]], text
        ),
    )


def _opens(text: str, at: int) -> bool:
    return not text[:at].strip() or text[:at].rstrip()[-1] in ".:\n"


def _one_for_another(pairs: Sequence[tuple[str, str]]) -> Edit:
    """Return the edit that makes one pass for all pairs: nothing is replaced twice."""
    named = "|".join(rf"(?P<p{number}>\b(?:{old})\b)" for number, (old, _) in enumerate(pairs))
    pattern = re.compile(named, re.IGNORECASE)

    def new(match: re.Match[str]) -> str:
        old, word = next(pairs[number] for number in range(len(pairs)) if match.group(f"p{number}") is not None)
        return with_case_of(match[0], re.sub(old, word, match[0], flags=re.IGNORECASE))

    return lambda text, rng: changed(text, pattern.sub(new, text))


REWRITES = (
    Rewrite("spelling_british", "British spelling", "wording", _exchanged(SPELLINGS, "")),
    Rewrite("spelling_american", "American spelling", "wording",
            _exchanged([(british, american) for american, british in SPELLINGS], "")),
    Rewrite("abbreviated", "RUL for right upper lobe, and so on", "wording", _abbreviated(ABBREVIATIONS)),
    Rewrite("abbreviations_written_out", "right upper lobe for RUL, and so on", "wording",
            _written_out(ABBREVIATIONS)),
    Rewrite("organ_synonyms", "liver lesion for hepatic lesion, and so on", "wording", _one_for_another(SYNONYMS)),
    Rewrite("finding_synonyms", "gallstones for cholelithiasis, and so on", "wording", _one_for_another(FINDINGS)),
)  # fmt: skip
