"""Rewrites: the same statement in another construction, as dictations, telegrams and lists word it."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from random import Random

from benchmarks.quality.captions.kinds import BE, FINDING

from .order import is_independent
from .rewriting import Edit, Rewrite, changed, edit_sentences, is_plain, lower_first, sentences, sub, upper_first

_LUNG_LOBE = re.compile(r"\b(?P<side>right|left) lung (?P<lobe>upper|middle|lower) lobe\b")
_LOBE_OF_LUNG = re.compile(r"\b(?P<lobe>upper|middle|lower) lobe of the (?P<side>right|left) lung\b")
_PREDICATED = re.compile(
    r"^(?:The )?(?P<organ>(?:left |right )?(?:liver|spleen|pancreas|gallbladder|stomach|heart|trachea|thyroid gland|"
    r"thyroid|uterus|prostate|kidney|adrenal gland|adrenal|aorta|thoracic aorta|esophagus|urinary bladder|appendix)) "
    r"(?:is|was|appears) (?P<word>normal|unremarkable)\.$",
    re.IGNORECASE,
)
_THERE_IS = re.compile(
    rf"^There (?P<be>is|are|was|were) (?P<what>(?!no\b)(?:an? )?(?:[\w-]+ ){{0,4}}?{FINDING})"
    r"(?P<where> (?:in|of|at) [^,;:]*)?\.$"
)
_SHORT_FORMS = {
    "consistent with": "c/w", "status post": "s/p", "without": "w/o", "with": "w/", "bilateral": "b/l",
}  # fmt: skip
_SIDES = {"right": "Rt.", "left": "Lt."}
_HEDGES = {
    "likely": "probably", "probably": "likely", "suggestive of": "suggesting", "compatible with": "consistent with",
    "consistent with": "compatible with", "in keeping with": "consistent with", "suspicious for": "concerning for",
    "cannot be excluded": "is not excluded", "possibly": "perhaps",
}  # fmt: skip


def _lung_lobe(written: str) -> Edit:
    def edit(text: str, rng: Random) -> str | None:
        rewritten = text
        for pattern in (_LUNG_LOBE, _LOBE_OF_LUNG):
            rewritten = pattern.sub(lambda match: written.format(**match.groupdict()), rewritten)
        return changed(text, rewritten)

    return edit


def _each_sentence(edit: Callable[[str, Random], str | None]) -> Edit:
    return lambda text, rng: edit_sentences(text, lambda sentence: edit(sentence, rng))


def _predicated(written: str) -> Edit:
    """Return the edit of "The liver is normal."; "{o}" is its organ, "{O}" with a capital, "{w}" and "{W}" the word."""

    def edit(sentence: str, rng: Random) -> str | None:
        match = _PREDICATED.match(sentence)
        if match is None:
            return None
        organ, word = match["organ"], match["word"].lower()
        return written.format(o=organ.lower(), O=upper_first(organ), w=word, W=upper_first(word))

    return _each_sentence(edit)


def _there_is(*forms: str) -> Edit:
    """Return the edit of "There is a cyst in the liver."; "{a}" is what there is, "{A}" with a capital."""

    def edit(sentence: str, rng: Random) -> str | None:
        match = _THERE_IS.match(sentence)
        if match is None:
            return None
        what, where = match["what"], match["where"] or ""
        return rng.choice(forms).format(a=what, A=upper_first(what), b=match["be"], w=where)

    return _each_sentence(edit)


def _without_article(sentence: str, rng: Random) -> str | None:
    opening = re.match(r"(?:The|An?) (?=[a-z])", sentence)
    return upper_first(sentence[opening.end() :]) if opening and re.search(rf"\b{BE}\b", sentence) else None


def _semicolons(text: str, rng: Random) -> str | None:
    """Return the text with each second of two independent sentences behind a semicolon."""
    spans = sentences(text)
    pieces, at, joined = [], 0, False
    for one, two in pairwise(spans):
        bodies = (text[one.start : one.end], text[two.start : two.end])
        near = text[one.end : two.start] == " " and one.line == two.line
        if joined or not near or not all(map(is_independent, bodies)):
            joined = False
            continue
        pieces += [text[at : one.end - 1], "; ", lower_first(bodies[1])]
        at, joined = two.end, True
    return "".join([*pieces, text[at:]]) if pieces else None


def _stops_without_spaces(text: str, rng: Random) -> str | None:
    """Return the text without the space behind each full stop between two words in small letters and a capital."""
    return changed(text, re.sub(r"(?<=[a-z]{3}\.) (?=[A-Z][a-z])", "", text))


def _prefixed(*openings: str) -> Edit:
    """Return the edit that opens sentences of a finding with words that say nothing of it."""

    def edit(sentence: str, rng: Random) -> str | None:
        if not is_plain(sentence) or not re.match(r"(?:There (?:is|are)|No|An?) [a-z]", sentence):
            return None
        return f"{rng.choice(openings)} {lower_first(sentence)}"

    return _each_sentence(edit)


def _hedged(match: re.Match[str]) -> str:
    return _HEDGES[match[0]]


REWRITES = (
    Rewrite("lobe_of_lung", "upper lobe of the right lung for right lung upper lobe", "wording",
            _lung_lobe("{lobe} lobe of the {side} lung")),
    Rewrite("lung_lobe", "right lung upper lobe for upper lobe of the right lung", "wording",
            _lung_lobe("{side} lung {lobe} lobe")),
    Rewrite("lobe_named", "right upper lobe for upper lobe of the right lung", "wording",
            _lung_lobe("{side} {lobe} lobe")),
    Rewrite("both_as_bilateral", "bilateral kidneys for both kidneys", "wording",
            sub(r"\bboth (kidneys|lungs|adrenal glands|adrenals|hila|breasts)\b", r"bilateral \1")),
    Rewrite("both_as_left_and_right", "the right and left kidneys for both kidneys", "wording",
            sub(r"\bboth (kidneys|lungs|adrenal glands|adrenals|breasts)\b", r"the right and left \1")),
    Rewrite("articles_dropped", "Liver is normal. for The liver is normal.", "wording",
            _each_sentence(_without_article)),
    Rewrite("normal_before", "Normal liver. for The liver is normal.", "wording", _predicated("{W} {o}.")),
    Rewrite("normal_as_label", "Liver: normal. for The liver is normal.", "wording", _predicated("{O}: {w}.")),
    Rewrite("normal_as_form", "Liver: Normal. for The liver is normal.", "wording", _predicated("{O}: {W}.")),
    Rewrite("normal_bare", "Liver normal. for The liver is normal.", "wording", _predicated("{O} {w}.")),
    Rewrite("present_behind", "A cyst is present in the liver. for There is a cyst in the liver.", "wording",
            _there_is("{A} {b} present{w}.", "{A} {b} seen{w}.")),
    Rewrite("note_is_made", "Note is made of a cyst. for There is a cyst.", "wording",
            _there_is("Note is made of {a}{w}.", "Again noted {b} {a}{w}.", "Incidental note is made of {a}{w}.",
                      "Also seen {b} {a}{w}.", "The scan shows {a}{w}.", "CT demonstrates {a}{w}.")),
    Rewrite("semicolons", "semicolons between two independent sentences", "lines", _semicolons),
    Rewrite("stops_without_spaces", "no space behind full stops", "characters", _stops_without_spaces),
    Rewrite("opened_with_nothing", "Incidentally, and so on before sentences of a finding", "wording",
            _prefixed("Incidentally,", "Additionally,", "As before,", "On today's examination,")),
    Rewrite("hedges", "probably for likely, and so on", "wording",
            sub(rf"\b(?:{'|'.join(_HEDGES)})\b", _hedged)),
    Rewrite("short_forms", "w/o for without, b/l for bilateral, and so on", "wording",
            sub(rf"(?<![-/])\b(?:{'|'.join(_SHORT_FORMS)})\b", lambda match: _SHORT_FORMS[match[0]])),
    Rewrite("short_sides", "Rt. and Lt. for right and left", "wording",
            sub(r"(?<=[a-z] )(?:right|left) (?=[a-z])", lambda match: f"{_SIDES[match[0].strip()]} ")),
    Rewrite("sizes_in_brackets", "a nodule (5 mm) for a nodule measuring 5 mm", "numbers",
            sub(r" measuring (\d+(?:\.\d+)? ?[cm]m)(?=[ .])(?! (?:x|and|to|in)\b)", r" (\1)")),
    Rewrite("sizes_with_zero", "5.0 mm for 5 mm", "numbers", sub(r"(?<![\w.,/:x×–-])(\d{1,2})(?= ?mm\b)", r"\1.0")),
)  # fmt: skip
