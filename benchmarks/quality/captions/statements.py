"""Statements of real reports for the caption benchmarks, and the checks that keep a truth label true.

Apart from the sections, nothing here comes from `curation`: sentences, organs and word stems are found in a simpler
way, so that the benchmark does not share the blind spots of the code that it measures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from curation.report import READ_SECTIONS, Section

# (pattern, name without a side, names of the sides)
ORGANS: tuple[tuple[re.Pattern[str], str, tuple[str, str] | None], ...] = tuple(
    (re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE), name, sides)
    for pattern, name, sides in (
        (r"lymph nodes?|lymphadenopathy|lymphadenopathies|adenopathy|lap", "lymph nodes", None),
        (r"coronary (?:arter(?:y|ies)|vascular)", "coronary arteries", None),
        (r"pericardi(?:um|al)", "pericardium", None),
        (r"pleurae?|pleural|(?:pneumo|ha?emo|hydro)+thorax", "pleura", ("left pleura", "right pleura")),
        (
            r"lungs?|pulmonary (?:nodules?|parenchyma)|(?:upper|middle|lower) lobes?",
            "lungs",
            ("left lung", "right lung"),
        ),
        (r"liver|hepatic|hepato\w+|cirrhosis", "liver", None),
        (r"spleen|splenic|splenomegaly", "spleen", None),
        (r"pancreas|pancreatic", "pancreas", None),
        (r"kidneys?|renal", "kidneys", ("left kidney", "right kidney")),
        (r"adrenals?|adrenal glands?", "adrenal glands", ("left adrenal gland", "right adrenal gland")),
        (r"ureters?|ureter(?:al|ic)", "ureters", ("left ureter", "right ureter")),
        (r"gall ?bladder|chole\w+|gallstones?", "gallbladder", None),
        (r"heart|cardiac|cardiomegaly", "heart", None),
        (r"aorta|aortic", "aorta", None),
        (r"o?esophagus|o?esophageal", "esophagus", None),
        (r"trachea|tracheal", "trachea", None),
        (r"bronchi|bronchus", "bronchi", None),
        (r"thyroid|goit(?:re|er)", "thyroid", None),
        (r"stomach|gastric", "stomach", None),
        (r"(?:urinary )?bladder", "urinary bladder", None),
        (r"prostate|prostatic", "prostate", None),
        (r"uterus|uterine", "uterus", None),
        (r"appendix", "appendix", None),
        (r"brain|cerebral", "brain", None),
        (r"colon|sigmoid", "colon", None),
        (r"breasts?", "breasts", ("left breast", "right breast")),
        (r"mediastinum|mediastinal", "mediastinum", None),
        (r"ribs?", "ribs", None),
        (r"vertebrae?|vertebral", "vertebrae", None),
        (r"maxillary sinus(?:es)?", "maxillary sinuses", ("left maxillary sinus", "right maxillary sinus")),
    )
)
# A place is named, not the organ itself: what the statement is about is then for a reader to say.
PLACE = re.compile(
    r"\b(?:level|adjacent|neighbou?r\w*|para\w+|peri(?!card)\w+|pre\w+|retro\w+|sub\w+|supra\w+|infra\w+|inter\w+|junction|"
    r"region|area|fossa|near|next|around|space|hil[au]\w*|between|extending|veins?|arter(?:y|ial)|"
    r"(?<!coronary )arteries|ducts?|entrance|hemithorax|thorax|catheter|tube|(?<!coronary )vascular|vessels?|"
    r"valves?|lodge|"
    r"bed|branch(?:es)?|stents?|clips?|implants?|quadrant|search)\b",
    re.IGNORECASE,
)
UNFIT = re.compile(
    r"\?|recommend|correlat|advis|consider|evaluated|evaluation|optimal|Dr\b|technique|obtained|administ|contrast|"
    r"\bexam|histor|window|images?\b|previous|prior|compar|follow|known|\bcase\b|patient|clinical|differential|\*|indicat|"
    r"biops|procedure|except|apart|described",
    re.IGNORECASE,
)
NEGATION = re.compile(
    r"\b(?:no|not|without|never|none|nor|neither|absent|absence|negative|free of|denies|cannot|resolved|n't)\b",
    re.IGNORECASE,
)
HEDGE = re.compile(
    r"\b(?:possibl[ey]|probabl[ey]|likely|may|might|could|suspicio\w*|suspected|suggest\w*|question\w*|suspect|"
    r"cannot be(?! (?:seen|observed))|differential|versus|vs|presumed|perhaps|excluded?|ruled? out|concern\w*|"
    r"compatible|consistent|evaluated)\b|\?",
    re.IGNORECASE,
)
NORMAL = re.compile(
    r"\b(?:normal|unremarkable|natural|intact|clear|patent|open|preserved|regular|within normal limits|homogeneous)\b",
    re.IGNORECASE,
)
SIDES = re.compile(
    r"\b(?:left|right|bilateral|bilaterally|both|bibasilar|bibasal|lul|lll|rul|rml|rll)\b", re.IGNORECASE
)
ALL_ORGANS = re.compile(
    r"\b(?:abdominal|abdomen|solid|visceral|intra-?abdominal|upper) ?(?:organs|sections|structures|viscera)|organs",
    re.I,
)
_ABDOMINAL = {
    "liver", "spleen", "pancreas", "adrenal glands", "kidneys", "gallbladder", "stomach", "urinary bladder",
    "prostate", "uterus", "appendix", "colon",
}  # fmt: skip
_CUT = re.compile(r'(?<![A-Z][a-z]\.)(?<=[.;?!])\s+(?!\d+\s*[cm]m)|\s*"+\s*|\s*\n+\s*|\s*•\s*|(?<=:)\s+(?=[A-Z])')
_STOP = frozenset(
    "a an the is are was were be been has have had in of on at to and or with for from by as it its this that "
    "these there which also both seen observed noted detected identified present demonstrated visualized "
    "appreciated evident found shows show ".split()
)


@lru_cache(maxsize=1 << 17)
def stems(text: str) -> frozenset[str]:
    """Return crudely stemmed content words and numbers."""
    content_words = set()
    for word in re.findall(r"[a-z]+|\d+(?:\.\d+)?", text.lower()):
        if word not in _STOP:
            content_words.add(
                re.sub(r"(?:ation|ing|ies|al|ed|es|s|y|e)$", "", word) if len(word) > 4 else word.removesuffix("s")
            )
    return frozenset(content_words)


@lru_cache(maxsize=1 << 16)
def organs_in(text: str) -> tuple[str, ...]:
    """Return the names of the organs in a text, with their side where exactly one side is named."""
    left, right = (re.search(rf"\b{side}\b", text, re.IGNORECASE) is not None for side in ("left", "right"))
    both = re.search(r"\b(?:both|bilateral\w*|bibas\w+)\b", text, re.IGNORECASE) is not None
    names = []
    for pattern, name, sides in ORGANS:
        if pattern.search(text):
            names.append(sides[right] if sides and left != right and not both else name)
    return tuple(names)


@lru_cache(maxsize=1 << 16)
def plainly_positive(text: str) -> bool:
    return not (NEGATION.search(text) or HEDGE.search(text) or NORMAL.search(text))


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of a report, verbatim, with the organs named in it."""

    text: str
    organs: tuple[str, ...]

    @property
    def organ(self) -> str | None:
        """The one organ that the statement is about; None where several, or only a place, are named."""
        names = self.organs
        if len(names) > 2:
            return None
        if "lymph nodes" in names and set(names) <= {"lymph nodes", "mediastinum"}:
            return "lymph nodes"
        return names[0] if len(names) == 1 and not PLACE.search(self.text) else None

    @property
    def positive(self) -> bool:
        return plainly_positive(self.text)


@dataclass(frozen=True)
class Document:
    """A report as the benchmark sees it: `statements` of the sections that captions come from, `others` of the rest."""

    source: str
    key: str
    text: str
    sections: tuple[Section, ...]
    statements: tuple[Statement, ...]
    others: tuple[Statement, ...] = ()

    @cached_property
    def flat(self) -> str:
        return " ".join(self.text.lower().split())

    def with_statement(self, statement: str, instead: str) -> Document:
        """Return the report with another text in place of a statement that stands in it once. Raises ValueError."""
        if self.text.count(statement) != 1:
            raise ValueError(f"not once in the report: {statement!r}")
        start = self.text.index(statement)
        grown, end = len(instead) - len(statement), start + len(statement)
        sections = tuple(
            Section(
                section.name,
                section.start + (grown if section.start >= end else 0),
                section.end + (grown if section.end >= end else 0),
            )
            for section in self.sections
        )
        text = self.text[:start] + instead + self.text[end:]
        return Document(self.source, self.key, text, sections, self.statements, self.others)

    @cached_property
    def everything(self) -> tuple[str, ...]:
        """All sentences of the whole text, also those unfit for a caption."""
        return tuple(split_sentences(self.text, 0, len(self.text)))

    @cached_property
    def stemmed(self) -> tuple[tuple[str, frozenset[str]], ...]:
        """All sentences beside their content words."""
        return tuple((text, stems(text)) for text in self.everything)

    def near(self, content: Iterable[str], share: float) -> list[str]:
        """Return the sentences that hold at least `share` of some content words."""
        content = frozenset(content)
        least = share * len(content)
        return [text for text, words in self.stemmed if len(content & words) >= least]

    def near_to(self, text: str, share: float, statement: Statement) -> list[str]:
        """Return the sentences near to a text, without the statement itself (and its word-for-word repeats)."""
        return [sentence for sentence in self.near(stems(text), share) if sentence != statement.text]

    def echoes(self, statement: str, new: str, share: float = 0.34) -> bool:
        """Return whether the report may say the new words about the same thing, or says them in the statement."""
        words, base = stems(new), stems(statement) - stems(new)
        if words <= stems(statement):
            return True
        return any(words & stems(text) - stems(statement) for text in self.near(base, share))


def split_sentences(text: str, start: int, end: int) -> list[str]:
    """Return the sentences of text[start:end], without list numbers."""
    pieces, at = [], start
    for match in _CUT.finditer(text, start, end):
        pieces.append(text[at : match.start()])
        at = match.end()
    pieces.append(text[at:end])
    stripped = (re.sub(r"^\s*[-•(]?\s*(?:\d+\s*[.)](?!\d))?\s*", "", f" {piece}").strip() for piece in pieces)
    return [piece for piece in stripped if re.search(r"[A-Za-z]", piece)]


def is_usable(piece: str) -> bool:
    """Return whether a sentence has a usual length and form for a finding."""
    return (
        2 <= len(piece.split()) <= 45
        and not UNFIT.search(piece)
        and piece.count("(") == piece.count(")")
        and not piece.isupper()
    )


def document(source: str, key: str, text: str, sections: tuple[Section, ...]) -> Document:
    """Split one report into statements."""
    statements: list[Statement] = []
    others: list[Statement] = []
    for section in sections:
        for piece in split_sentences(text, section.start, section.end):
            if is_usable(piece) and (names := organs_in(piece)):
                (statements if section.name in READ_SECTIONS else others).append(Statement(piece, names))
    return Document(source, key, text, sections, tuple(statements), tuple(others))


@lru_cache(maxsize=1 << 12)
def silent_organs(text: str) -> list[str]:
    """Return the organs of which the report says nothing, nor about all organs of their region at once."""
    covered = set()
    if ALL_ORGANS.search(text):
        covered |= _ABDOMINAL
    if re.search(r"chest|thora", text, re.IGNORECASE):
        covered |= {"lungs", "pleura", "bronchi", "mediastinum"}
    return [name for pattern, name, _ in ORGANS if name not in covered and not pattern.search(text)]
