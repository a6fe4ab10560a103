"""Nouns that a title or a heading gives to the labels below it: "Frontal: clear", below "SINUS CT", is of the sinuses.

A label that is an adjective alone, or a word that names something else without its noun, is read with the noun where
both together are an organ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from curation.language.parser import StatementParser

# Words of titles and headings, and the noun that labels below them lack.
_NOUNS = {
    "sinus": "sinuses", "sinuses": "sinuses", "pns": "sinuses", "colonography": "colon", "colonoscopy": "colon",
    "colon": "colon", "valves": "valve", "valve": "valve", "nodes": "lymph nodes", "lymph": "lymph nodes",
    "adenopathy": "lymph nodes", "lymphadenopathy": "lymph nodes", "turbinates": "turbinate", "runoff": "artery",
    "run-off": "artery", "angiography": "artery", "angiogram": "artery", "cta": "artery", "arteries": "artery",
    "arterial": "artery", "veins": "vein", "venography": "vein", "ctv": "vein", "venogram": "vein", "ribs": "rib",
    "vertebrae": "vertebra", "muscles": "muscle", "ligaments": "ligament", "glands": "gland",
}  # fmt: skip
# Behind these labels a vessel is meant: "Renal: patent", and not "Renal: no stones".
_OF_VESSELS = re.compile(
    r"\b(?:patent|patency|stenos[ie]s|stenotic|occlu\w+|plaques?|aneurysm\w*|run-?off|dissect\w+|thromb\w+|calcifi\w+|"
    r"atheroscl\w+|ectatic|ectasia|hypoplastic|dominant|stent\w*|opacif\w+|irregular\w*|tortuous|reconstitut\w+)\b",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?P<label>[A-Za-z][A-Za-z '-]{2,30}?)(?P<mark>\s*:(?=\s)|\s+[-–]\s|\s*[|\t])\s*(?P<value>\S)")
_HEADING = re.compile(r"[A-Za-z][\w /&,()'+-]{2,60}:?")
_RUN_IN = re.compile(r"(?P<label>[A-Za-z][A-Za-z /&-]{2,30}):\s+(?=\S)")
_WORD = re.compile(r"[a-z]+(?:-off)?")
_POSITION = re.compile(
    r"^(?:(?:anterior|posterior|superior|inferior|middle|medial|lateral|upper|lower|left|right|proximal|distal|mid)\s+)+",
    re.IGNORECASE,
)
_MOST_WORDS = 3


@dataclass(slots=True)
class LabelNouns:
    """The nouns of the title and of the heading whose reach the next statement stands in."""

    parser: StatementParser
    of_title: tuple[str, ...] = ()
    of_heading: tuple[str, ...] = ()
    of_line: tuple[str, ...] = ()

    def completed(self, text: str, *, opens: bool, alone: bool, line: bool) -> str:
        """Take in a statement and return it, with the noun in its label where that lacks one.

        ``opens``: nothing but titles stands before it; ``alone``: it has a line to itself; ``line``: it begins a line.
        """
        if alone and _HEADING.fullmatch(text):
            nouns = _nouns(text)
            if opens and not text.endswith(":"):
                self.of_title += nouns
            else:
                self.of_heading = nouns
            self.of_line = ()
            return text
        if line:
            self.of_line = ()
        if run_in := _RUN_IN.match(text):
            named = _nouns(run_in["label"])
            if named and line:
                self.of_line = named
                return text[: run_in.end()] + self._with_noun(text[run_in.end() :], named)
        return self._with_noun(text, (*self.of_line, *self.of_heading, *self.of_title))

    def _with_noun(self, text: str, nouns: tuple[str, ...]) -> str:
        label = _LABEL.match(text) if nouns else None
        if label is None or len(label["label"].split()) > _MOST_WORDS:
            return text
        name = label["label"]
        for noun in dict.fromkeys(nouns):
            is_vessel = noun in ("artery", "vein")
            if is_vessel and not _OF_VESSELS.search(text, label.start("value")):
                continue
            if self._lacks_noun(name, noun):
                written = noun.upper() if name.isupper() else noun
                return f"{name} {written}{text[label.end('label') :]}"
        return text

    def _lacks_noun(self, name: str, noun: str) -> bool:
        """Tell whether a label names an organ only with a noun: an adjective, or a word that means another without."""
        resolve, organs = self.parser.organ_finder.resolve, self.parser.vocabulary.organs
        organ = resolve(f"{name} {noun}") or resolve(f"{_POSITION.sub('', name)} {noun}")
        if organ is None:
            return False
        mentions = [term.mention for term in self.parser.parse(name).terms if term.mention]
        return name.lower() in organs[organ].beside or all(one.adjective or one.station for one in mentions)


def _nouns(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_NOUNS[word] for word in _WORD.findall(text.lower()) if word in _NOUNS))
