"""Faithful captions: ways in which a careful captioner words a statement anew without changing what it says."""

from __future__ import annotations

import re
from random import Random

from benchmarks.quality.captions.kinds import BE, FINDING, SEEN, Claim, capitalised, faithful, without_article
from benchmarks.quality.captions.statements import HEDGE, NEGATION, PLACE, Document, Statement, organs_in

_PRONOUN = re.compile(
    r"^(?:it|this|that|these|those|they|which|as|if|when|although|however|apart|except|other)\b", re.IGNORECASE
)

_SYNONYMS = (
    (r"\b(was|were) (not )?observed\b", r"\1 \2seen"), (r"\b(is|are) (not )?seen\b", r"\1 \2observed"),
    (r"\b(was|were) (not )?detected\b", r"\1 \2identified"), (r"\bunremarkable\b", "normal"),
    (r"\bnatural\b", "normal"), (r"\bwithin normal limits\b", "normal"),
    (r"\b(is|are) normal\b", r"\1 unremarkable"), (r"\bcalculus\b", "stone"), (r"\bstone\b", "calculus"),
    (r"\bstones\b", "calculi"), (r"\bcalculi\b", "stones"),
    (r"\b(is|are|was|were) enlarged\b", r"\1 increased in size"),
    (r"\b(cyst|stone|mass|calculus) in the (left|right) kidney\b", r"\2 renal \1"),
    (r"\b(left|right) renal (cyst|stone|mass|calculus)\b", r"\2 in the \1 kidney"),
    (r"\bhepatic (cyst|mass|lesion)", r"liver \1"), (r"\bpulmonary nodule", "lung nodule"),
    (r"\bdilatation\b", "dilation"), (r"\bhypodense\b", "low-density"), (r"\blow[- ]attenuation\b", "hypodense"),
    (r"\bosseous\b", "bone"), (r"\bslight\b", "mild"), (r"\bslightly\b", "mildly"),
    (r"^[Nn]o evidence (?:of|for) (?:an? )?", "No "), (r"^Cardiomegaly\b", "Enlarged heart"),
    (r"\bpatent\b", "open"), (r"^There (?:is|are) no evidence (?:of|for) (?:an? )?", "No "),
    (r"\bcholelithiasis\b", "gallstones"), (r"\bgallstones\b", "cholelithiasis"),
    (r"\bground glass\b", "ground-glass"), (r"\bmeasuring\b", "of"),
    (r"\bopacit(?:y|ies) of ground[- ]glass\b", "ground-glass opacities"),
)  # fmt: skip

_SPELLING = (
    ("esophag", "oesophag"), ("hemorrhag", "haemorrhag"), ("hematoma", "haematoma"), ("tumor", "tumour"),
    ("edema", "oedema"), ("caliber", "calibre"), ("center", "centre"), ("gray", "grey"),
    ("visualized", "visualised"), ("disk ", "disc "), ("disks ", "discs "), ("hemangioma", "haemangioma"),
    ("localized", "localised"), ("fecal", "faecal"), ("anesth", "anaesth"),
)  # fmt: skip

_ABBREVIATIONS = (
    (r"\bright upper lobe\b", "RUL"), (r"\bright middle lobe\b", "RML"), (r"\bright lower lobe\b", "RLL"),
    (r"\bleft upper lobe\b", "LUL"), (r"\bleft lower lobe\b", "LLL"),
    (r"\b(upper|middle|lower) lobe of (?:the )?(left|right) lung\b", r"\2 \1 lobe"),
    (r"\b(left|right) lung (upper|middle|lower) lobe\b", r"\1 \2 lobe"), (r"\binferior vena cava\b", "IVC"),
    (r"\bsuperior vena cava\b", "SVC"), (r"\bcommon bile duct\b", "CBD"), (r"\bIVC\b", "inferior vena cava"),
    (r"\bSVC\b", "superior vena cava"), (r"\bLAP\b", "lymphadenopathy"), (r"\bCBD\b", "common bile duct"),
    (r"\bmillimeters?\b", "mm"), (r"\bcentimeters?\b", "cm"),
)  # fmt: skip

_DIGITS = {"two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7"}

_PREDICATE = r"(?:all )?(?:normal|unremarkable|within normal limits|natural|intact|open|clear|patent)(?: in [a-z, ]+)?"

_LIST = re.compile(
    rf"^(?:The )?(?P<items>[\w ]+(?:, (?:and )?[\w ]+)*?(?:,? and [\w ]+)?) "
    rf"(?P<be>are|were|appear) (?P<what>{_PREDICATE})\.?$"
)

_UNSHARED = re.compile(
    r"\b(?:left|right|each|symmetric\w*|prominent|largest|more|most|mm|cm|difference|between|multiple|scattered|several)\b"
)

_TAIL = re.compile(
    r",? (?:included )?(?:in|within|entering) the (?:sections|study area|"
    r"examination area|examined area|cross-sectional area)\b|"
    r",? (?:on|in) (?:the )?(?:current|this) (?:study|examination)\b|"
    r",? as well\b(?! as)|,? as far as can be (?:observed|seen|evaluated)\b|"
    r",? that entered the cross-sectional area\b|^(?:In addition|Additionally|Also|Incidentally|Otherwise), ",
)


def changed_claim(statement: Statement, caption: str | None) -> Claim | None:
    """Return a claim about the statement's organ; None where the caption is unchanged or a single word."""
    organ = statement.organ
    if organ is None or caption is None or caption == statement.text or len(caption.split()) < 2:
        return None
    return organ, caption


@faithful
def verbatim(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    return (statement.organ, statement.text) if statement.organ else None


@faithful
def case_changed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    return changed_claim(statement, rng.choice([statement.text.lower(), statement.text.upper()]))


@faithful
def punctuation_changed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    bared = statement.text.rstrip(".;: ")
    return changed_claim(
        statement,
        rng.choice(
            [bared, f"{bared} .", f"{bared};", f"- {bared}.", bared.replace(", ", " , "), bared.replace(" ", "  ")]
        ),
    )


@faithful
def reporting_verb_dropped(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    parts = re.split(rf" {BE} {SEEN}\b", statement.text)
    if len(parts) != 2 or _PRONOUN.search(statement.text) or NEGATION.search(statement.text):
        return None
    return changed_claim(statement, parts[0] + parts[1])


@faithful
def article_dropped(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    caption = capitalised(without_article(statement.text))
    return changed_claim(
        statement, caption if not caption.lower().startswith("no ") or "There" in statement.text else None
    )


@faithful
def negation_fronted(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    match = re.match(rf"^([^,.;]+?) {BE} not {SEEN}( (?:in|on|within|at) [^,.;]+)?\.?$", statement.text)
    if (
        not match
        or _PRONOUN.search(statement.text)
        or NEGATION.search(match[1])
        or not re.search(FINDING, match[1], re.I)
    ):
        return None
    if re.search(rf"\b(?:where|which|that|{BE})\b", match[1]):
        return None
    noun = without_article(match[1])
    return changed_claim(
        statement, f"No {noun if noun[1:2].isupper() else noun[:1].lower() + noun[1:]}{match[2] or ''}."
    )


@faithful
def negation_moved_back(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    match = re.match(rf"^No ([^,.;]+?) ({BE}) ({SEEN})( [^,.;]+)?\.?$", statement.text, re.IGNORECASE)
    if not match or NEGATION.search(match[1]) or re.search(r"\bother\b|\badditional\b", match[1]):
        return None
    return changed_claim(statement, f"{capitalised(match[1])} {match[2]} not {match[3]}{match[4] or ''}.")


@faithful
def location_fronted(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    match = re.match(rf"^([^,;:]+?)(?: {BE} {SEEN})? in (?!line|favor)(?:the )?([^,;:]+?)\.?$", statement.text)
    if not match or " in " in f" {match[2]} " or len(match[2].split()) > 8 or not organs_in(match[2]):
        return None
    finding = without_article(match[1])
    finding = finding if finding[1:2].isupper() or finding[1:2].isdigit() else finding[:1].lower() + finding[1:]
    article = "" if re.match(r"both|bilateral|[A-Z]", match[2]) else "the "
    unclear = rf"^In\b| and | {BE} |(?:increase|decrease|change|reduction|loss|narrowing|difference)s?$"
    if NEGATION.search(statement.text) or re.search(unclear, finding) or re.search(rf" {BE} | and ", match[2]):
        return None
    return changed_claim(
        statement,
        rng.choice(
            [
                f"{capitalised(match[2])}: {finding}",
                f"In {article}{match[2]}, {finding}.",
                f"{capitalised(match[2])} - {finding}.",
            ]
        ),
    )


@faithful
def synonym(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    options = [re.sub(old, new, statement.text, count=1) for old, new in _SYNONYMS if re.search(old, statement.text)]
    return changed_claim(statement, rng.choice(options).replace("  ", " ")) if options else None


@faithful
def unit_rewritten(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    match = re.search(r"(?<![\d.x-])(?<!x )(\d+(?:\.\d+)?)((?: ?[x×] ?\d+(?:\.\d+)?)*) ?(mm|cm)\b", statement.text)
    if not match:
        return None
    factor, unit = (0.1, "cm") if match[3] == "mm" else (10.0, "mm")
    sizes = re.findall(r"\d+(?:\.\d+)?", match[1] + match[2])
    turned = " x ".join(f"{round(float(size) * factor, 3):g}" for size in sizes)
    return changed_claim(statement, f"{statement.text[: match.start()]}{turned} {unit}{statement.text[match.end() :]}")


@faithful
def organ_from_list(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    match = _LIST.match(statement.text)
    items = re.split(r",? and |, ", match["items"]) if match else []
    picks = [item for item in items if len(organs_in(item)) == 1 and len(item.split()) <= 3 and not PLACE.search(item)]
    picks = [item for item in picks if not re.search(r"(?:al|ic|ac)$", item)]
    if not match or len(items) < 2 or len(picks) != len(items):
        return None
    pick = rng.choice(picks)
    many = re.search(r"\b(?:both|bilateral)\b|(?<!s)s$|bronchi$", pick) and not pick.endswith(
        ("pancreas", "uterus", "esophagus")
    )
    verb = match["be"] if many else {"are": "is", "were": "was", "appear": "appears"}[match["be"]]
    noun = capitalised(pick) if many else f"The {pick[:1].lower()}{pick[1:]}"
    return organs_in(pick)[0], f"{noun} {verb} {match['what'].removeprefix('all ')}."


@faithful
def both_to_one(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    pairs = re.findall(
        r"\b(?:[Bb]oth|[Bb]ilateral) (lungs|kidneys|adrenal glands|breasts|maxillary sinuses)\b", statement.text
    )
    if len(pairs) != 1 or len(set(statement.organs)) != 1:
        return None
    if _UNSHARED.search(statement.text) or PLACE.search(statement.text):
        return None
    organ = {"maxillary sinuses": "maxillary sinus"}.get(pairs[0], pairs[0].removesuffix("s"))
    side = rng.choice(["left", "right"])
    at_start = re.match(r"[Bb]oth|[Bb]ilateral", statement.text)
    sided_organ = f"{'' if at_start else 'the '}{side} {organ}"
    caption = re.sub(r"\b(?:[Bb]oth|[Bb]ilateral) " + pairs[0], sided_organ, statement.text)
    if at_start:
        caption = re.sub(r"\b(are|were)\b", lambda m: {"are": "is", "were": "was"}[m[1]], caption, count=1)
    return f"{side} {organ}", capitalised(caption)


@faithful
def clause_dropped(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    parts = re.split(r",? and (?=(?:no|there|the|a|an) )|, (?=(?:no|there is|there are) )", statement.text)
    if (
        len(parts) != 2
        or any(not re.search(rf"\b{BE}\b", part) for part in parts)
        or _PRONOUN.search(statement.text)
        or HEDGE.search(statement.text)
    ):
        return None
    first = parts[0].rstrip(".") + "."
    return (organs_in(first)[0], first) if len(organs_in(first)) == 1 and not PLACE.search(first) else None


@faithful
def adverbial_dropped(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    caption = _TAIL.sub("", statement.text, count=1)
    return changed_claim(statement, capitalised(caption)) if caption != statement.text else None


@faithful
def spelling_changed(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    for american, british in _SPELLING:
        for old, new in ((british, american), (american, british)):
            if re.search(rf"(?<![A-Za-z]){old}", statement.text, re.IGNORECASE):
                swap = re.sub(rf"(?<![A-Za-z]){old}", new, statement.text, count=1, flags=re.IGNORECASE)
                return changed_claim(statement, capitalised(swap) if statement.text[0].isupper() else swap)
    return None


@faithful
def number_as_digit(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    match = re.search(rf"\b({'|'.join(_DIGITS)})\b", statement.text, re.IGNORECASE)
    return (
        changed_claim(
            statement, statement.text[: match.start()] + _DIGITS[match[1].lower()] + statement.text[match.end() :]
        )
        if match
        else None
    )


@faithful
def abbreviation(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    options = [
        re.sub(old, new, statement.text, count=1) for old, new in _ABBREVIATIONS if re.search(old, statement.text)
    ]
    return changed_claim(statement, rng.choice(options)) if options else None
