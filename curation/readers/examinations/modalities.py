"""The closed vocabulary of modalities: the codes and words for each, and the body part that an examination names."""

from __future__ import annotations

import re

from curation.report import Modality

from .words import MANNER_WORDS

# Cells that are a code: of DICOM (Modality, 0008,0060), or a word that is used like one.
CODES = {
    Modality.CT: "ct cta hrct cect ncct ctpa ccta",
    Modality.MR: "mr mri mra mrt mrcp irm rm rmn fmri",
    Modality.US: "us usg dus ivus sono ultrasound",
    Modality.RADIOGRAPH: "cr dx dr xr rg xray x-ray cxr axr kub io px radiograph radiography",
    Modality.PET: "pt pet",
    Modality.NM: "nm spect st",
    Modality.MAMMOGRAPHY: "mg mmg mammo dbt",
    Modality.FLUOROSCOPY: "rf fl xf",
    Modality.ANGIOGRAPHY: "xa dsa",
}
CODE_JOINT = re.compile(r"[\\/,;|+&\s\[\]'\"^]+")
# Codes of what goes with images.
NO_IMAGES = frozenset(("sr", "seg", "ko", "pr", "doc", "reg"))
CODE = {code: modality for modality, codes in CODES.items() for code in codes.split()}
# Codes that are read at the beginning of an examination's name alone; within it they are other words.
LEADING = frozenset(("cr", "dx", "dr", "nm", "mg", "rf", "xa", "fl", "us", "mr", "rm", "pt"))
WORDS = {
    Modality.CT: (
        r"(?-i:CTs?|TDM|TAC)|cta|ctpa|ctv|ctu|ctc|hrct|cect|ncct|nect|ccta|[mc]dct|cbct|ldct|ct|cat[ -]scans?|"
        r"compute(?:d|r|ri[sz]ed)[ -](?:axial )?tomogra\w*|computertomogra\w*"
    ),
    Modality.MR: (
        r"f?mris?|mra|mrv|mrcp|mre|mrt|irm|rmn|(?-i:MRs?)(?!\.)|magnetic resonance|kernspin\w*|magnetresonanz\w*"
    ),
    Modality.US: (
        r"ultrasounds?|ultrasonogra\w*|sonogra\w*|usg|(?-i:US)|doppler|duplex|echocardiogra\w*|ultraschall\w*|"
        r"ecogra\w*|[\u00e9e]chogra\w*"
    ),
    Modality.RADIOGRAPH: (
        r"radiogra(?:ph|m|f)\w*|x[ -]?rays?|(?-i:XR)|cxr|axr|plain films?|r(?:\u00f6|oe)ntgen\w*|"
        r"(?<!CT )(?<!US )(?-i:KUB)"
    ),
    Modality.PET: r"pet|positron[ -]emission tomogra\w*",
    Modality.NM: (
        r"spect|\w{0,20}scintigra\w*|nuclear medicine|bone scans?|v/?q scans?|szintigra\w*|"
        r"(?:hida|muga|gallium|thyroid|octreotide) scans?"
    ),
    Modality.MAMMOGRAPHY: r"mammogra\w*|tomosynthesis|mmg",
    Modality.FLUOROSCOPY: (
        r"fluoroscop\w*|barium|esophagra(?:m|phy)|upper gi|ugi|vcug|cystourethrogra\w*|swallow(?:ing)? stud(?:y|ies)|"
        r"defecogra\w*"
    ),
    Modality.ANGIOGRAPHY: r"angiogra\w*|arteriogra\w*|venogra\w*|dsa",
}
MODALITY = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    + "|".join(f"(?P<{modality.name}>{words})" for modality, words in WORDS.items())
    + r")(?![A-Za-z0-9])",
    re.IGNORECASE,
)
# Two modalities in one word: "PETCT".
FUSED = re.compile(r"\b(pet|spect)(ct|mri?)\b", re.IGNORECASE)
WITH = re.compile(r"\bw\s?/\s?o?(?![A-Za-z])", re.IGNORECASE)
# Ways to do an examination, which are modalities only where no other one is named: "CT angiography" is CT.
MANNERS = frozenset((Modality.ANGIOGRAPHY, Modality.FLUOROSCOPY))
# Behind these, a phrase speaks of another examination, or of when and why this one was done.
ASIDE = re.compile(
    r"[(\[,;]?\s?\b(?:compar\w*|prior|previous\w*|correlat\w*|versus|vs|indication|history|dated|reason|because|due to|"
    r"(?:(?:was|were|is) )?(?:performed|obtained|acquired|done)|clinical|for|on \d|reported|interpret\w*|read by)\b.*",
    re.IGNORECASE | re.DOTALL,
)
# Words of a sentence, in which a modality may be one of another examination.
SENTENCE = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|no|not|should|could|may|might|will|would|recommend\w*|suggest\w*|"
    r"advis\w*|consider\w*|shows?|showed|showing|demonstrat\w*|reveal\w*|seen|noted|known|there|this|that|refer\w*|"
    r"see|if|when|since|than|also|declined|cancell?ed)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
JOINTS = frozenset(("and", "or", "of", "the", "to", "in", "with", "without", "a", "an", "plus", "w", "wo", "o"))
LONGEST_PART = 8


def modality_of_code(cell: str) -> tuple[Modality, ...]:
    """Return the modalities that a cell names as codes, "PT/CT" as two; none where one of its words is no code.

    >>> modality_of_code("MR"), modality_of_code("pet/ct"), modality_of_code("OT")
    ((<Modality.MR: 'MR'>,), (<Modality.PET: 'PET'>, <Modality.CT: 'CT'>), ())
    """
    codes = [code for code in CODE_JOINT.split(cell.strip().lower()) if code and code not in NO_IMAGES]
    if not codes or not all(code in CODE for code in codes):
        return ()
    return tuple(dict.fromkeys(CODE[code] for code in codes))


def modalities_in(phrase: str) -> tuple[Modality, ...]:
    """Return the modalities that the name of an examination has, in their order."""
    phrase = FUSED.sub(r"\1/\2", phrase)
    first = re.match(r"[\W\d_]*([A-Za-z]+)", phrase)
    leading = [CODE[first[1].lower()]] if first and first[1].lower() in LEADING and _is_code(first[1]) else []
    modalities = dict.fromkeys([*leading, *(Modality[str(match.lastgroup)] for match in MODALITY.finditer(phrase))])
    plain = tuple(modality for modality in modalities if modality not in MANNERS)
    return plain or tuple(modalities)


def _is_code(word: str) -> bool:
    """Return whether a word is written like a code: "MR", "mr", but not "Mr"."""
    return word.isupper() or word.islower()


def body_part_in(phrase: str) -> str:
    """Return the words of an examination's name that are a part of the body, in lower case; "" where they are unclear.

    >>> body_part_in("CT ABDOMEN AND PELVIS WITH CONTRAST")
    'abdomen and pelvis'
    """
    bare = MODALITY.sub(" ", FUSED.sub(r"\1/\2", WITH.sub(" with ", phrase)))
    words = [word.lower() for word in WORD.findall(bare) if len(word) > 1]
    if words and words[0] in LEADING:
        words = words[1:]
    kept = [word for word in words if word not in MANNER_WORDS or word in ("and", "of")]
    while kept and kept[0] in JOINTS:
        kept.pop(0)
    while kept and kept[-1] in JOINTS:
        kept.pop()
    part = " ".join(word for place, word in enumerate(kept) if word not in ("and", "of") or _joins(kept, place))
    return part if 0 < len(kept) <= LONGEST_PART else ""


def _joins(words: list[str], place: int) -> bool:
    """Return whether a joint stands between two words that are none."""
    return words[place] == "and" and words[place - 1] not in JOINTS and words[place + 1] not in JOINTS
