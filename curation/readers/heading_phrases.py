"""Phrases that are headings of radiology reports, and the section that each opens."""

from __future__ import annotations

import re

# Phrases by the section that they open. A heading of several parts ("TECHNIQUE AND FINDINGS") opens the section of the
# part that stands highest here. Compared with the section titles of NegBio and medspaCy.
PHRASES = {
    "findings": (
        "findings|finding|discussion|interpretation|description|observations|observation|results|result|"
        "body of report|full result|report|report body|report text|body|text|narrative|"
        "pre-procedure|preprocedure|pre-procedure ct|pre-procedure imaging|post-procedure|postprocedure|"
        "post-procedure ct|post-procedure imaging|post-procedural ct|post-procedural imaging"
    ),
    "impression": (
        "impression|impressions|conclusion|conclusions|opinion|opinions|assessment|summary|synopsis|imp|impr|"
        "diagnosis|diagnoses|comment|comments|key points|bottom line|in summary|in conclusion|summary of findings|"
        "interpretation summary"
    ),
    "addendum": "addendum|addenda",
    "recommendation": "recommendation|recommendations|plan|follow-up|followup|suggestion|suggestions|advice",
    "comparison": (
        "comparison|comparisons|comparison exam|comparison exams|comparison study|comparison studies|prior study|"
        "prior studies|previous study|previous studies|prior exams|prior imaging|previous imaging|correlation|"
        "prior findings|previous findings"
    ),
    "technique": (
        "technique|techniques|method|methods|protocol|contrast|contrast agent|contrast material|scan parameters|"
        "imaging technique|scanning technique|acquisition|dose|radiation dose|ctdivol|dlp|limitations|image quality|"
        "procedure|procedures|procedure details|procedure description|description of procedure"
    ),
    "history": (
        "history|indication|indications|reason|clinical history|clinical indication|clinical indications|"
        "clinical information|clinical data|clinical details|clinical question|clinical statement|clinical diagnosis|"
        "clinical background|clinical context|clinical findings|clinical impression|patient history|medical history|"
        "brief history|relevant history|"
        "pertinent history|past medical history|past history|surgical history|preliminary diagnosis|signs and symptoms|"
        "reason for exam|reason for examination|reason for study|reason for the exam|reason for this exam|"
        "reason for scan|reason for ct scan|reason for ct|reason for referral|reason for visit|symptoms"
    ),
    "exam": (
        "exam|examination|study|exam type|type of exam|procedure performed|exam name|modality|exam date|date of exam|"
        "study date|examination date|date of examination|exam date and time"
    ),
    "other": (
        "medications|medication|consent|informed consent|complications|anesthesia|sedation|"
        "attending|radiologist|attending radiologist|referring physician|ordering physician|interpreting physician|"
        "physician|patient name|patient|patient id|mrn|accession|accession number|dob|date of birth|date of service|"
        "date|critical result|communication|dictated|dictated by|transcribed by|transcribed|signed|signed by|"
        "electronically signed by|signature|"
        "electronic signature|reported by|reported and signed by|verified by|approved by|read by|reviewed by|"
        "cc list|job id|disclaimer|attestation|attending attestation|attending statement|teaching physician statement"
    ),
}
# Headings of admission notes and letters that quote a CT. What stands under them is no finding of this examination.
NOTE_PHRASES = (
    "cc|hx|hpi|pmh|psh|fhx|shx|shx/fhx|meds|ros|course|hospital course|studies|studies/course|chief complaint|"
    "history of present illness|family history|social history|review of systems|physical exam|physical examination|"
    "birth hx|allergies|vital signs|labs|laboratory data"
)
SECTION_OF = {phrase: section for section, phrases in PHRASES.items() for phrase in phrases.split("|")}
NOTE_HEADINGS = frozenset(NOTE_PHRASES.split("|"))
RANK = {section: rank for rank, section in enumerate(PHRASES)}
# Of whom and of when a report is: they take up their own line, and what stands under it is none of theirs.
ONE_LINE = frozenset(
    "patient|patient name|patient id|mrn|accession|accession number|dob|date of birth|date of service|date|exam date|"
    "date of exam|study date|examination date|date of examination|exam date and time|modality|referring physician|"
    "ordering physician|physician|job id".split("|")
)
# They open the findings only where no other heading has opened them: "Body: normal" may speak of the pancreas.
ONLY_FIRST = frozenset(("body", "text", "narrative"))
# What the examination found where findings stand before, and what it was made for where they follow.
DIAGNOSES = frozenset(("diagnosis", "diagnoses"))
# Before the phrase of a heading: "RADIOLOGIST'S FINDINGS", "Final impression".
QUALIFIERS = frozenset(
    "the my our radiologist radiologists radiologist's radiologic radiological radiology radiographic ct cta mdct "
    "hrct cect imaging image key main major detailed final overall attending study exam examination scan pertinent "
    "positive significant additional incidental other relevant preliminary initial new official formal general brief "
    "current".split()
)
# Behind the phrase of a heading: "Findings are as follows", "Findings on CT of the chest and abdomen".
SUFFIXES = frozenset(
    "are is as follows following include includes of on in at for from the this today and with without contrast iv ct "
    "cta mri scan study exam examination imaging images abdomen pelvis abdominal pelvic chest thorax head brain neck "
    "spine abdomen/pelvis".split()
)
SPACED = re.compile(r"(?<!\w)(?:\w ){3,}\w(?!\w)")
BRACKETS = re.compile(r"(?<=[\w ])(?:\((?!s\))[^()]*\)|\[[^\[\]]*\])", re.IGNORECASE)
MARKS = " -–—:*_=<>[](){}|~.;•·\t"


def section_of(phrase: str) -> str | None:
    """Return the section that a phrase opens as a heading, None if it is no heading.

    >>> section_of("Technique and findings"), section_of("REASON FOR EXAM"), section_of("Liver")
    ('findings', 'history', None)
    """
    phrase = bare_phrase(phrase)
    if phrase in SECTION_OF:
        return SECTION_OF[phrase]
    if phrase in NOTE_HEADINGS:
        return "other" if phrase.startswith(("course", "hospital course", "studies")) else "history"
    if phrase.startswith("reason for "):
        return "history"
    parts = [part for part in re.split(r"\s*(?:/|&|,|\band\b)\s*", phrase) if part]
    sections = [SECTION_OF[part] for part in parts if part in SECTION_OF]
    if sections and len(sections) == len(parts):
        return min(sections, key=RANK.__getitem__)
    return _section_inside(phrase.replace(",", " ").split())


def bare_phrase(phrase: str) -> str:
    """Return a heading's phrase in small letters and without its decoration: "[ F I N D I N G S ]" is "findings"."""
    phrase = SPACED.sub(lambda match: match[0].replace(" ", ""), phrase)
    phrase = BRACKETS.sub("", phrase).replace("(s)", "s").replace("(S)", "s").replace("\u2019", "'")
    return " ".join(phrase.lower().split()).strip(MARKS)


def _section_inside(words: list[str]) -> str | None:
    """Return the section of the phrase within a longer heading: "Radiologist's findings on CT"."""
    if not words:
        return None
    start = next((at for at, word in enumerate(words) if word not in QUALIFIERS), len(words))
    for first in range(
        start, max(-1, start - 2), -1
    ):  # "study" of "study findings" qualifies, that of "study" does not
        for end in range(len(words), first, -1):
            if words[end - 1 : end] and all(word in SUFFIXES for word in words[end:]):
                section = SECTION_OF.get(" ".join(words[first:end]))
                if section in {"findings", "impression", "technique", "comparison", "recommendation"}:
                    return section
    return SECTION_OF[words[-1]] if len(words) < 4 and words[-1:] in (["findings"], ["impression"]) else None
