"""Words as they stand in a caption: in which number, with a capital or a small letter, with what at their edges."""

from __future__ import annotations

import re
from functools import lru_cache

from curation.language.structure.listed_subjects import SINGULAR_VERBS
from curation.language.word_lists import LATIN_PLURALS

_BEHIND_HEAD = re.compile(r" (?:of|in|on|at|with|without|from)\b.*$")
_SINGULAR_ENDINGS = ("ss", "us", "is", "pancreas", "atlas", "pons", "lens")
_FIRST_WORD = re.compile(r"[A-Za-z]+")
_EPONYMS = frozenset(
    """agatston baker balthazar bochdalek bosniak chiari debakey fazekas foley haller hartmann hounsfield kerley
    kommerell lund meckel morgagni schmorl stanford tarlov whipple zenker""".split()
)
_EDGE = " .,;:\"'“”-–"
_LEAD_IN = re.compile(
    r"^(?:(?:as far as can be (?:seen|observed|evaluated)|however|in addition|additionally|also|again|incidentally|"
    r"moreover|furthermore|and|but|with|which|that|as(?! before))\b[,:\s]*|&\s*)+",
    re.IGNORECASE,
)
_DOUBLED = re.compile(r"\bthe (both|the)\b|\bin (in|at)\b", re.IGNORECASE)


def agreeing(subject: str, text: str) -> str:
    """Return a predicate with its verb in the number of its subject: "walls are thick", but "wall is thick"."""
    head, _, rest = text.partition(" ")
    if is_plural(subject):
        return text
    return f"{SINGULAR_VERBS.get(head.lower(), head)} {rest}".strip()


def is_plural(noun: str) -> bool:
    """Return whether a noun phrase is in the plural: "renal calyces", "the other parts of the stomach"."""
    words = _BEHIND_HEAD.sub("", noun.lower().strip(_EDGE)).split()
    word = words[-1] if words else ""
    return word in LATIN_PLURALS or word.endswith("ae") or (word.endswith("s") and not word.endswith(_SINGULAR_ENDINGS))


def capital(text: str) -> str:
    """Return a wording with a capital letter first."""
    return text[:1].upper() + text[1:]


def lowered(text: str) -> str:
    """Return a wording as it stands behind a colon: abbreviations and names of persons keep their capitals."""
    first = _FIRST_WORD.match(text)
    is_name = first is not None and (first[0].lower() in _EPONYMS or (len(first[0]) == 1 and text[1:2] == "-"))
    return text if is_name or text[1:2].isupper() or text[1:2].isdigit() else text[:1].lower() + text[1:]


def with_label(label: str, organ: str, caption: str) -> str:
    """Return a caption with a label before it, which takes the place of the organ's name where that stands there."""
    return f"{label}: {lowered(caption.removeprefix(f'{capital(organ)}: '))}"


@lru_cache(maxsize=1_024)
def cleaned(text: str) -> str:
    """Return a cut wording as a caption has it: with a capital, no lead-in, and no mark at its edges."""
    text = _DOUBLED.sub(lambda match: match[1] or match[2], " ".join(text.split())).replace(" ,", ",")
    return capital(_with_brackets(_LEAD_IN.sub("", text.strip(_EDGE)).strip(_EDGE)))


def _with_brackets(text: str) -> str:
    """Return a cut wording with as many brackets closed as opened."""
    closing = text.count(")") - text.count("(")
    if closing > 0 and text.endswith(")"):
        return text[:-1].strip(_EDGE)
    return f"{text})" if closing == -1 else text
