"""Cuts texts and terms into tokens, and maps the plurals and spellings of a word to one base form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

# A prefix and its word are one token, so that "para-aortic" is never read as "aortic". The loose ones also go with the
# next word over a blank ("para aortic").
# fmt: off
_LOOSE_PREFIXES = frozenset([
    "para", "peri", "retro", "supra", "infra", "intra", "extra", "inter", "juxta", "sub", "pre", "epi",
])
_PREFIXES = _LOOSE_PREFIXES | frozenset([
    "post", "non", "trans", "ante", "endo", "hemi", "bi", "uni", "ipsi", "contra", "micro", "aorto", "aortico", "apico",
    "atlanto", "atrio", "auriculo", "broncho", "cardio", "cervico", "chole", "choledocho", "costo", "cranio", "duodeno",
    "entero", "fronto", "gastro", "genito", "hepato", "hydro", "ileo", "ilio", "inguino", "ischio", "jejuno", "laryngo",
    "latero", "lumbo", "maxillo", "medio", "mediastino", "naso", "neuro", "occipito", "oro", "osteo", "pancreatico",
    "parieto", "pelvi", "pneumo", "porto", "postero", "pyelo", "recto", "reno", "sacro", "spleno", "sterno", "temporo",
    "thoraco", "thyro", "tracheo", "uretero", "utero", "vaso", "ventriculo", "vertebro", "vesico",
])
# fmt: on
# Words that are not simply taken as they stand.
_SPECIAL = _PREFIXES | {"the", "&", "sided"}
_HYPHENS = frozenset("-\u2010\u2011")
# What stands before a word, and the word.
_WORD = re.compile(r"([\W_]*?)([^\W_]+|(?<=\s)&(?=\s))")
# The gap between two words of one term may hold "the", but nothing that ends a phrase, and no empty line.
_MARKS = r"[ \t_\-\u2010-\u2015/'\u2019]*(?:\r?\n)?[ \t_\-\u2010-\u2015/'\u2019]*"
_GAP = re.compile(rf"{_MARKS}(?:the{_MARKS})?", re.IGNORECASE)
_JOINER = re.compile(r"(?:and|or|to) ", re.IGNORECASE)
# Where two words of a label are joined.
_JOINT = re.compile(r"(?<=[a-z])(?=[A-Z])")
_UNITS = frozenset(["mm", "cm", "x", "hu", "ml", "cc", "percent"])
_SIDES = {"lt": "left", "l": "left", "rt": "right", "r": "right"}

# American and British spellings.
_BRITISH = [
    ("esophag", "oesophag"), ("cecum", "caecum"), ("cecal", "caecal"), ("celiac", "coeliac"), ("disc", "disk"),
    ("gray", "grey"), ("fetus", "foetus"), ("fetal", "foetal"),
]  # fmt: skip
# Singular endings with those of their plurals; the first singular that fits counts.
_PLURALS: list[tuple[str, tuple[str, ...]]] = [
    ("femur", ("femora", "femurs")), ("corpus", ("corpora",)), ("foramen", ("foramina", "foramens")),
    ("phalanx", ("phalanges",)), ("calyx", ("calyces",)), ("apex", ("apices", "apexes")), ("tooth", ("teeth",)),
    ("foot", ("feet",)), ("calf", ("calves",)), ("us", ("i", "uses")), ("is", ("es",)), ("um", ("a", "ums")),
    ("a", ("ae", "as")), ("s", ("ses",)), ("x", ("xes",)), ("ch", ("ches",)), ("sh", ("shes",)), ("ay", ("ays",)),
    ("ey", ("eys",)), ("oy", ("oys",)), ("y", ("ies",)), ("", ("s",)),
]  # fmt: skip


def label_in_words(label: str) -> str:
    """Return a data set's label in words: "SpinalCord" is "Spinal Cord", "kidney_left" is "kidney left"."""
    return " ".join(_JOINT.sub(" ", label).replace("_", " ").split())


class Words:
    """The tokens of a text as base forms, and the characters where each starts and ends in it.

    Prefixes are joined to their word, "the" is left out. ``base`` maps words to base forms.
    """

    __slots__ = ("ends", "starts", "text", "tokens")

    def __init__(self, text: str, base: Mapping[str, str]) -> None:
        self.text = text
        self.tokens: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        prefix, begin, end = "", 0, 0
        for marks, written in _WORD.findall(text):
            start = end + len(marks)
            end, word = start + len(written), written.lower()
            if prefix or word in _SPECIAL:
                word = "and" if word == "&" else word
                if word == "the" and not prefix:
                    continue
                if word in _PREFIXES and _binds(text, word, end):
                    prefix, begin = prefix + word, begin if prefix else start
                    continue
                if prefix:
                    word, start, prefix = prefix + word, begin, ""
                elif word == "sided" and self.tokens and self.tokens[-1] in ("left", "right"):
                    self.ends[-1] = end  # "left-sided" is "left"
                    continue
            self.tokens.append(base.get(word, word))
            self.starts.append(start)
            self.ends.append(end)

    def continues_phrase(self, index: int) -> bool:
        """Return whether the word at ``index`` may continue the phrase of the word before it."""
        if not 0 < index < len(self.tokens):
            return False
        gap = self.text[self.ends[index - 1] : self.starts[index]]
        return gap == " " or _GAP.fullmatch(gap) is not None

    def is_measurement(self, index: int) -> bool:
        """Return whether the number at ``index`` is a measurement, not the number of a rib or vertebra."""
        end = self.ends[index]
        if self.text[end : end + 1] in (".", ",") and self.text[end + 1 : end + 2].isdigit():
            return True
        return self.continues_phrase(index + 1) and self.tokens[index + 1] in _UNITS


def _binds(text: str, prefix: str, end: int) -> bool:
    """Return whether a prefix that ends at ``end`` belongs to the next word ("para-aortic", not "pre and post")."""
    if not text[end + 1 : end + 2].isalpha():
        return False
    if text[end] in _HYPHENS:
        return True
    return text[end] == " " and prefix in _LOOSE_PREFIXES and not _JOINER.match(text, end + 1)


def tokens_of(term: str) -> list[str]:
    """Return the tokens of a term as they are written, in lower case, without "the"."""
    tokens = term.lower().split()
    if "".join(tokens).isalnum() and _LOOSE_PREFIXES.isdisjoint(tokens):
        return [token for token in tokens if token != "the"]
    return Words(term, {}).tokens


def lookup_key(term: str, base: Mapping[str, str]) -> str:
    """Return the form under which a term is looked up: its tokens as base forms, one space between two."""
    return " ".join([base.get(token, token) for token in tokens_of(term)])


def base_forms(terms: Iterable[str]) -> dict[str, str]:
    """Return a map from the plurals and British spellings of all words of the terms to the word itself.

    Some of the plurals are no words ("livers"): they never occur and cost nothing.
    """
    words = sorted({word for word in Words("; ".join(terms), {}).tokens if len(word) > 2 and word[-1].isalpha()})
    base: dict[str, str] = {}
    for word in words:
        spellings = [word, british] if (british := _british(word)) != word else [word]
        for spelling in spellings:
            for form in (spelling, *_plurals(spelling)):
                if form != word:
                    base.setdefault(form, word)
    # "hila" is the plural of one term's word and a word of another term; both then have the same base.
    return {form: base.get(word, word) for form, word in base.items() if form not in _SIDES} | _SIDES


def _plurals(word: str) -> list[str]:
    ending, plurals = next(rule for rule in _PLURALS if word.endswith(rule[0]))
    return [word.removesuffix(ending) + plural for plural in plurals]


def _british(word: str) -> str:
    for american, british in _BRITISH:
        word = word.replace(american, british)
    return word
