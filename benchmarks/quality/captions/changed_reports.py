"""Captions of reports in which one statement was changed first, so that what turns the meaning stands in the report.

What narrows a denial, an exception or a rare hedge is seldom in the reports at hand. A statement of a real report gets
it, and the caption repeats the statement as it was before: false now. The other way round, a statement is said in two
sentences, or more generally, and the caption that says it as before stays true.
"""

from __future__ import annotations

import re
from random import Random

from benchmarks.quality.captions.kinds import (
    BE,
    FINDING,
    NOUN_PHRASE,
    SEEN,
    ChangedClaim,
    Claim,
    capitalised,
    faithful,
    hallucinated,
    without_article,
)
from benchmarks.quality.captions.statements import HEDGE, NEGATION, NORMAL, Document, Statement, organs_in

_QUALIFIERS = (
    "suspicious", "acute", "new", "focal", "additional", "other", "definite", "gross", "large", "significant",
    "pathological", "obvious", "enlarging", "enhancing", "convincing", "dominant", "measurable", "displaced",
    "obstructing", "central", "aggressive", "discrete", "further", "clinically relevant", "high-grade", "drainable",
)  # fmt: skip
_NARROWINGS_BEHIND = (
    "larger than 6 mm", "of more than 1 cm", "that would need treatment", "suspicious for malignancy",
    "with mass effect", "of concern", "on the unenhanced images that would be measurable",
)  # fmt: skip
_HEDGED = (
    "Concern for {}.", "Concern is raised for {}.", "Correlate for {}.", "Please exclude {}.", "Query {}.",
    "{} is in the differential.", "{} cannot be excluded.", "{} is not excluded.", "{} is less likely.",
    "The question of {} is raised.", "Cannot rule out {}.", "Artifact versus {}.", "{} versus artifact.",
    "Artifact is favored over {}.", "Findings raise the possibility of {}.", "{} would be difficult to exclude.",
    "There is a question of {}.", "Rule out {}.", "{}?", "{} remains a consideration.",
)  # fmt: skip
_EXCEPTED = (
    "{} except for a 4 mm focus.", "{} apart from a small focal abnormality.", "{} aside from mild change.",
    "{} with the exception of a small lesion.", "{} save for a tiny lesion.", "{} other than a small focus.",
)  # fmt: skip
_EXCEPTED_FIRST = (
    "Apart from a small lesion, {}.", "Aside from a 4 mm focus, {}.", "With the exception of a tiny lesion, {}.",
    "Other than a small focal abnormality, {}.", "Except for mild change, {}.",
)  # fmt: skip
_EXCEPTED_ONES = (
    "except for a small one", "other than a 4 mm one", "apart from a tiny one", "aside from an old one",
    "save for a small one on the left", "with the exception of a small one",
)  # fmt: skip
_REST = ("The remainder of the {}", "The rest of the {}", "The remaining {}")
_EARLIER = (
    "{now}, previously {size}", "{now} (was {size})", "{now}, {size} on the prior study", "{now} [prev {size}]",
    "{now}, compared with {size} in 2019", "{now} (prior: {size})", "{now}, increased from {size}",
)  # fmt: skip
_SIZE = re.compile(r"(?<![\d.x×/-])(?<![x×] )(\d+(?:\.\d+)?) ?(mm|cm)\b(?! ?[x×])")
_OTHER_SITES = (
    ("left", "right"), ("right", "left"), ("upper lobe", "lower lobe"), ("lower lobe", "upper lobe"),
)  # fmt: skip
# Parts that only one lung has: "the middle lobe of the left lung" is no other place than that of the right.
_ON_ONE_SIDE = re.compile(r"middle lobe|lingul|apicoposterior|both", re.IGNORECASE)
_PLAIN_DENIAL = re.compile(
    rf"^(?:There (?:is|are|was|were) )?[Nn]o (?:evidence (?:of|for) (?:an? )?)?(?P<what>[^,.;:]+?)"
    rf"(?: {BE} {SEEN}[^,.;:]*)?\.?$"
)
_DENIED_BEHIND = re.compile(rf"^(?P<what>[^,.;:]+?) {BE} not {SEEN}[^,.;:]*\.?$")
_PAIRED = {
    "pleura": ("pleural effusion", "pneumothorax", "hydrothorax", "pleural thickening"),
    "kidney": ("renal cyst", "hydronephrosis", "renal calculus", "perinephric stranding"),
    "adrenal gland": ("adrenal nodule", "adrenal adenoma"),
    "lung": ("lower lobe consolidation", "upper lobe nodule", "lower lobe atelectasis", "lung mass"),
    "breast": ("breast nodule", "breast calcification"),
}
# Words of a report that say the same as those of a claim: such a claim may be true of it all the same.
_ALSO_CALLED = {"hydrothorax": "effusion", "calcul": "lithiasis", "stone": "lithiasis"}
# What may be denied, with what is denied along with it.
_KINDS = {
    r"(?:focal )?lesion(?P<plural>s)?": ("cyst", "mass", "nodule", "hemangioma", "abscess", "tumor", "metastasis"),
    r"(?:mass|space[- ]occupying) lesion(?P<plural>s)?": ("mass", "tumor"),
    r"lymphadenopathy(?P<plural>$^)?": ("pathologically enlarged lymph node", "bulky lymphadenopathy"),
    r"collection(?P<plural>s)?": ("abscess", "hematoma"),
    r"opacit(?:y|(?P<plural>ies))": ("consolidation", "ground-glass opacity"),
    r"h(?:a)?emorrhage(?P<plural>$^)?": ("subdural hemorrhage", "acute hemorrhage"),
    r"fracture(?P<plural>s)?": ("displaced fracture", "acute fracture", "compression fracture"),
    r"nodules?(?P<plural>$^)?": ("suspicious nodule", "calcified nodule", "pulmonary nodule"),
    r"pleural effusion(?P<plural>$^)?": ("large pleural effusion", "loculated pleural effusion"),
}
_GRADES = ("mild", "moderate", "small", "large", "stable", "new", "old", "acute", "minimal", "severe")
_ITEM = rf"(?:[\w-]+ ){{0,3}}{FINDING}"
_LISTED = re.compile(
    rf"^(?:There (?:is|are|was|were) )?[Nn]o (?P<items>{_ITEM}(?:(?:, | or |, or ){_ITEM})+)(?P<rest>[^,.;:]*)\.?$",
    re.IGNORECASE,
)


def changed(statement: Statement, text: str, caption: str) -> Claim | None:
    """Return the claim, with the text that stands in the report instead of the statement."""
    organ = statement.organ
    return ChangedClaim(organ, caption, text) if organ and caption != text else None


def denied(doc: Document, statement: Statement) -> re.Match[str] | None:
    """Return the match of a plain denial of one finding, which the report denies in no other sentence."""
    match = _PLAIN_DENIAL.match(statement.text) or _DENIED_BEHIND.match(statement.text)
    if not match or NEGATION.search(match["what"]) or HEDGE.search(statement.text):
        return None
    head = NOUN_PHRASE.search(match["what"])
    if not head or not re.match(r"$| (?:in|of|at|within|on) ", match["what"][head.end() :]):
        return None
    if re.search(r"\b(?:or|and|with|new|other|obvious|significant|it|this)\b|-", match["what"]):
        return None
    near = [text for text in doc.near_to(match["what"], 0.7, statement) if NEGATION.search(text)]
    return None if near else match


@hallucinated
def qualifier_dropped_under_denial(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Let the report deny less: "No suspicious nodule"."""
    match = denied(doc, statement)
    if match is None:
        return None
    start = match.start("what")
    text, head = statement.text, NOUN_PHRASE.search(match["what"])
    assert head is not None
    if rng.random() < 0.75:
        before = re.match(r"(?:signs? of |an? |the )", match["what"], re.IGNORECASE)
        at = start + (before.end() if before else 0)
        behind = text[at:] if text[at + 1 : at + 2].isupper() else text[at].lower() + text[at + 1 :]
        narrowed = f"{text[:at]}{rng.choice(_QUALIFIERS)} {behind}"
    else:
        at = start + head.end()
        narrowed = f"{text[:at]} {rng.choice(_NARROWINGS_BEHIND)}{text[at:]}"
    return changed(statement, capitalised(narrowed), text)


@hallucinated
def rare_hedge_dropped(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Let the report only suspect the finding: "Concern for pleural effusion"."""
    finding = without_article(re.sub(rf",? {BE} {SEEN}\b.*$", "", statement.text)).rstrip(". ")
    if not statement.positive or not NOUN_PHRASE.search(finding) or re.search(r"[,;:]|\d|\band\b", finding):
        return None
    if len(finding.split()) > 8 or re.search(rf"\b{BE}\b", finding) or doc.near_to(finding, 0.5, statement):
        return None
    if any(part in finding.lower() and other in doc.text.lower() for part, other in _ALSO_CALLED.items()):
        return None
    lower = finding if finding[1:2].isupper() else finding[:1].lower() + finding[1:]
    return changed(statement, capitalised(rng.choice(_HEDGED).format(lower)), statement.text)


def _normal_subject(statement: Statement) -> re.Match[str] | None:
    """Return the match of a plain statement that an organ is normal, with the group ``organ``."""
    match = re.match(rf"^(?:The )?(?P<organ>[\w ]+?) {BE} (?P<what>[\w ]+?)\.?$", statement.text)
    unfit = r"\b(?:and|or|not|both|size|than|otherwise|remain\w+|rest|other|visuali[sz]ed|it|there)\b"
    if match and NORMAL.search(match["what"]) and not re.search(unfit, statement.text, re.IGNORECASE):
        return match
    return None


@hallucinated
def exception_dropped(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Let the report except something of what is normal or denied: "No lesion except for a 4 mm focus"."""
    is_denied = denied(doc, statement)
    if not (_normal_subject(statement) or is_denied) or doc.near_to(statement.text, 0.6, statement):
        return None
    said = statement.text.rstrip(". ")
    if is_denied:
        return changed(statement, f"{said} {rng.choice(_EXCEPTED_ONES)}.", statement.text)
    if rng.random() < 0.5:
        return changed(statement, rng.choice(_EXCEPTED).format(said), statement.text)
    lower = said if said[1:2].isupper() else said[:1].lower() + said[1:]
    return changed(statement, rng.choice(_EXCEPTED_FIRST).format(lower), statement.text)


@hallucinated
def remainder_as_whole(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Let the report call only the rest normal: "The remainder of the liver is normal"."""
    match = _normal_subject(statement)
    if match is None or doc.near_to(statement.text, 0.6, statement):
        return None
    if rng.random() < 0.4:
        otherwise = re.sub(rf"\b({BE}) ", r"\1 otherwise ", statement.text, count=1)
        return changed(statement, otherwise, statement.text)
    rest = f"{rng.choice(_REST).format(match['organ'].lower())}{statement.text[match.end('organ') :]}"
    return changed(statement, rest, statement.text)


@hallucinated
def earlier_size_as_todays(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Let the report tell the size as that of an earlier examination: "12 mm, previously 9 mm"."""
    sizes = list(_SIZE.finditer(statement.text))
    if len(sizes) != 1 or not statement.positive or doc.text.count(sizes[0].group()) > 1:
        return None
    size = sizes[0]
    now = f"{round(float(size[1]) * 1.4 + (0.3 if size[2] == 'cm' else 3), 1):g} {size[2]}"
    if now in doc.text:
        return None
    both = rng.choice(_EARLIER).format(now=now, size=size.group())
    return changed(statement, statement.text[: size.start()] + both + statement.text[size.end() :], statement.text)


@hallucinated
def attribute_of_another_lesion(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Let another lesion have the size: "5 mm nodule in the left lung. 9 mm nodule in the right lung"."""
    sizes = list(_SIZE.finditer(statement.text))
    if len(sizes) != 1 or not statement.positive or _ON_ONE_SIDE.search(statement.text):
        return None
    for site, other_site in _OTHER_SITES:
        if len(re.findall(rf"\b{site}\b", statement.text)) != 1 or re.search(rf"\b{other_site}\b", statement.text):
            continue
        size = sizes[0]
        other = f"{round(float(size[1]) * 1.6 + (0.4 if size[2] == 'cm' else 4), 1):g} {size[2]}"
        if other in doc.text:
            return None
        with_other = statement.text[: size.start()] + other + statement.text[size.end() :]
        second = re.sub(rf"\b{site}\b", other_site, with_other).rstrip(". ")
        return changed(statement, f"{statement.text.rstrip('. ')}. {second}.", with_other)
    return None


def _may_be_named(word: str, doc: Document) -> bool:
    """Return whether a report has a word, or another that says the same."""
    return word in doc.flat or any(part in word and other in doc.text.lower() for part, other in _ALSO_CALLED.items())


@hallucinated
def attributes_exchanged(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Let the report tell grades of two sides, and exchange them: "Mild left and moderate right pleural effusion"."""
    organ = (statement.organ or "").removeprefix("left ").removeprefix("right ")
    nouns = _PAIRED.get(organ) or _PAIRED.get(organ.removesuffix("s"))
    if not nouns or not statement.positive:
        return None
    noun = rng.choice([noun for noun in nouns if not _may_be_named(noun.split()[-1], doc)] or [""])
    if not noun:
        return None
    first, second = rng.sample(_GRADES, 2)
    side, other_side = rng.choice([("left", "right"), ("right", "left")])
    text = rng.choice([
        f"{first} {side} and {second} {other_side} {noun}.",
        f"There is {first} {side} and {second} {other_side} {noun}.",
        f"{first} {noun} on the {side} and {second} {noun} on the {other_side}.",
        f"{noun}, {first} on the {side} and {second} on the {other_side}.",
    ])  # fmt: skip
    caption = rng.choice([f"{second} {side} {noun}.", f"{first} {other_side} {noun}."])
    caption_side = side if f" {side} " in caption else other_side
    singular = "pleura" if organ == "pleura" else organ.removesuffix("s")
    return ChangedClaim(f"{caption_side} {singular}", capitalised(caption), capitalised(text))


@faithful
def two_sentences_merged(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Let the report tell the size in a sentence of its own: "A nodule in the left lung. It measures 5 mm"."""
    match = re.match(
        rf"^(?P<open>(?:There (?:is|was) )?[Aa]n? )(?P<size>\d+(?:\.\d+)? ?(?:mm|cm))(?: (?:sized|diameter))? "
        rf"(?P<noun>[^,;:.]*?{FINDING})(?P<rest>[^,;:.]*)\.?$",
        statement.text,
    )
    if not match or not statement.positive or re.search(r"\d", match["noun"] + match["rest"]):
        return None
    if len(re.findall(rf"\b{FINDING}\b", statement.text, re.IGNORECASE)) != 1:
        return None
    opening = re.sub(r"n $", " ", match["open"]) if match["noun"][0] not in "aeiou" else match["open"]
    head = re.findall(FINDING, match["noun"], re.IGNORECASE)[-1]
    follower = rng.choice([f"It measures {match['size']}.", f"The {head} measures {match['size']}.",
                           f"This {head} is {match['size']} in size."])  # fmt: skip
    return changed(statement, f"{opening}{match['noun']}{match['rest']}. {follower}", statement.text)


@faithful
def more_general_denial(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Ask for less than the report denies: "No cyst" where it denies any lesion."""
    match = _PLAIN_DENIAL.match(statement.text)
    if not match or HEDGE.search(statement.text) or NEGATION.search(match["what"]):
        return None
    for pattern, kinds in _KINDS.items():
        head = re.match(rf"(?P<head>{pattern})(?= |$)", match["what"])
        if head and statement.organ:
            kind = rng.choice([kind for kind in kinds if kind.split()[0] != "pulmonary" or statement.organ != "lungs"])
            plural = "es" if kind.endswith("ss") else "s"
            kind = kind + plural if head["plural"] and not kind.endswith(("is", "y")) else kind
            start = match.start("what")
            return statement.organ, statement.text[:start] + kind + statement.text[start + head.end("head") :]
    return None


@faithful
def part_of_a_list(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Deny one finding of a list that the report denies: "No mass" of "No nodule, mass or consolidation"."""
    match = _LISTED.match(statement.text)
    if not match or NEGATION.search(match["rest"]) or HEDGE.search(statement.text):
        return None
    items = re.split(r", or |, | or ", match["items"])
    may_share = items[0].split()[0].lower() in (*_QUALIFIERS, *_GRADES, "pathologically", "enlarged")
    pick = items[0] if may_share else rng.choice(items)
    caption = f"No {pick}{match['rest']}."
    organ = statement.organ
    return (organ, caption) if organ and organs_in(caption) else None
