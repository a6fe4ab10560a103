"""Find where findings begin that have no heading of their own, behind the technique, a comparison or a history.

The sentences of a technique tell how images were made; the first that tells what they show begins the findings.
"""

from __future__ import annotations

import re
from itertools import pairwise

ORGANS = (
    "lungs?|lung bases|airways?|pleura|thorax|chest|lower chest|heart|mediastinum|abdomen|pelvis|liver|hepatobiliary|"
    "spleen|pancreas|gallbladder|biliary|adrenals?|adrenal glands|kidneys?|brain|ventricles|bowel|bones?|"
    "musculoskeletal|osseous structures|vasculature|vessels|aorta|lymph nodes|soft tissues|thyroid|neck"
)
ORGAN = re.compile(rf"(?:^|(?<=\s))(?:\d{{1,2}}\.\s*)?(?:{ORGANS})(?:(?:/| and | & )[a-z ]{{1, 40}}?)?:", re.IGNORECASE)
NUMBERED_ORGAN = re.compile(r"(?:^|(?<=\s))\d{1,2}\.\s+[A-Z][A-Za-z/ ]{2,40}:")
PARAGRAPH = re.compile(r"(?:\r\n?|\n)[ \t]*(?:\r\n?|\n)\s*")
# Where a sentence of one of these sections may begin: on a line of its own, or behind a full stop.
LINE = re.compile(r"[\r\n]+\s*(?=\S)")
SENTENCE = re.compile(rf"{LINE.pattern}|(?<=[a-z0-9)][.?!])\s+(?=[A-Z])")
# … and of a history, which may take up several lines: on a line of its own behind a full stop.
LINE_BEHIND_STOP = re.compile(r"(?<=[.?!])[ \t]*[\r\n]+\s*(?=[A-Z])")
# A line that opens with a heading which names no section ("AORTOILIAC: ...").
HEADED_LINE = re.compile(r"[A-Z][A-Z/&, -]{3,40}:\s+(?=\S)")
# A sentence with one of these tells how the images were made, with what they were compared, or why they were made.
OF_THE_EXAMINATION = re.compile(
    r"\b(?:obtain|acqui|perform|imag(?:es?|ing)\b|slices?\b|contrast|ml\b|cc\b|administ|inject|given\b|reformat|"
    r"reconstruct|protocol|dos(?:e|age)|kvp?\b|mas\b|dlp|ctdi|omnipaque|isovue|visipaque|ultravist|optiray|iohexol|"
    r"iopamidol|iodixanol|gadolin|gadavist|spiral|helical|bolus|scan(?:s|ned|ning|ner)?\b|compar|prior\b|previous|"
    r"examination|exam\b|study|studies|technique|multi-?planar|mpr\b|mip\b|axial|coronal|sagittal|collimation|"
    r"thickness of \d|thin sections?|sections? of \d|intravenous|\biv\b|i\.v\.|oral|rectal|patient|indication|history|"
    r"pain\b|rule out|evaluat|assess|follow-?up|status post|s/p|year-?s?[- ]old|consent|available|none\b|"
    r"phase|delay|mm (?:and|x|by|thick|interval|incr)|ct\b|cta\b|mri\b|[12]\d{3}\b)",
    re.IGNORECASE,
)
# A sentence with one of these tells of the examination whatever else it has.
OF_THE_EXAMINATION_ALONE = re.compile(
    r"\b(?:obtain|acqui|perform|administ|inject|given\b|used\b|utili[sz]ed|compar|prior\b|previous|available|none\b)",
    re.IGNORECASE,
)
# A sentence with one of these tells of the body, though it names the examination too: "CT shows a cyst".
PLAINLY_OF_THE_BODY = re.compile(
    r"\b(?:shows?|demonstrates?|reveals?|there (?:is|are)|no evidence|unremarkable|enlarged|measures?|"
    r"(?:is|are) (?:stable|unchanged|normal|clear|intact|patent))\b",
    re.IGNORECASE,
)
# A sentence with one of these tells what is there or is not.
OF_THE_BODY = re.compile(
    r"\b(?:is|are|no|not|there|normal\w*|unremarkable|shows?|demonstrates?|reveals?|contains?|appears?|seen|noted|clear|"
    r"intact|patent|enlarged|without|has|have|measures?|cm|mm|mild|moderate|severe|small|large|multiple|left|right|"
    r"bilateral|stable|unchanged)\b",
    re.IGNORECASE,
)
# An intervention is told at length under PROCEDURE, and what it tells is no finding. It is named at the beginning.
INTERVENTION = re.compile(
    r"guided|biops|needle|embolization|ablation|lidocaine|sterile|prepped|guidewire|local anesthe", re.IGNORECASE
)
BEGINNING = 300


def findings_start(
    text: str, start: int, end: int, *, sentences: re.Pattern[str] | None, findings_follow: bool
) -> int | None:
    """Return where findings without a heading begin in ``text[start:end]``, None where there are none.

    They begin at a numbered heading of an organ or, in a report that has no findings further on, at any heading of an
    organ or, with the beginnings of ``sentences``, at the first that tells what the images show; else at the next
    paragraph.
    """
    starts = []
    if numbered := NUMBERED_ORGAN.search(text, start, end):
        starts.append(numbered.start())
    if not findings_follow:
        if organ := ORGAN.search(text, start, end):
            starts.append(organ.start())
        begin = start + len(text[start:end]) - len(text[start:end].lstrip())
        told = _first_of_the_body(text, begin, end, sentences) if sentences else None
        paragraph = PARAGRAPH.search(text, begin, end)
        if told is not None:
            starts.append(told)
        elif paragraph and paragraph.end() < end:
            starts.append(paragraph.end())
    return min(starts, default=None)


def tells_an_intervention(text: str, start: int, end: int) -> bool:
    """Return whether a technique or procedure is that of a biopsy or the like, and not of an examination."""
    return INTERVENTION.search(text, start, min(end, start + BEGINNING)) is not None


def _first_of_the_body(text: str, begin: int, end: int, sentences: re.Pattern[str]) -> int | None:
    """Return where the first sentence begins that tells what the images show; the first of all only in a preamble."""
    places = [begin] if not text[:begin].strip() else []
    places += [match.end() for match in sentences.finditer(text, begin, end)]
    for place, stop in pairwise([*places, end]):
        if is_of_the_body(text[place:stop]):
            return place
    return None


def is_of_the_body(sentence: str) -> bool:
    """Return whether a sentence tells what the images show."""
    if HEADED_LINE.match(sentence) and OF_THE_BODY.search(sentence):
        return True
    if OF_THE_EXAMINATION_ALONE.search(sentence):
        return False
    if PLAINLY_OF_THE_BODY.search(sentence):
        return True
    return OF_THE_BODY.search(sentence) is not None and OF_THE_EXAMINATION.search(sentence) is None
