"""Changes of exactly one thing in a report, and what must come of each: so much, and nothing else.

A change rewrites one sentence (or all sides of a report). Captions whose evidence stands elsewhere must stay as they
are; ``expected`` says what must become of those of the sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from benchmarks.quality.captions.kinds import FINDING
from benchmarks.quality.captions.statements import HEDGE, NEGATION, organs_in

from .lines import GOES_ON
from .rewriting import is_plain, sentences


class Claim(NamedTuple):
    """What a caption says, apart from where it stands. ``caption`` may be None in what is expected: in any words."""

    organ: str
    status: str
    caption: str | None


class Changed(NamedTuple):
    """A changed text: what stood in ``[start, end)`` of the text before now stands in ``[start, new_end)``."""

    text: str
    start: int
    end: int
    new_end: int


Expected = Callable[[Claim, Changed, str], "Claim | None"]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one thing.

    ``expected`` turns a caption of the changed passage (with the change, and the text before) into what it must become;
    None where it must go. ``added`` is a caption that must come. ``whole``: it rewrites a report, not one sentence.
    """

    name: str
    what: str
    edit: Callable[[str, Random], Changed | None]
    expected: Expected
    added: Callable[[Changed], Iterable[Claim]] = lambda _: ()
    whole: bool = False


_SIDE = re.compile(r"\b(?:left|right|LUL|LLL|RUL|RLL)(?=\b|ward|-)", re.IGNORECASE)
# Names with a side that have no counterpart on the other.
_ONE_SIDED = re.compile(
    r"middle lobe|lingul|\bRML\b|descending|circumflex|\bLAD\b|ventric|atri|\bcolon|flexure|aort|gastric|"
    r"main (?:branch|cor)|hepatic lobe|lobe of (?:the )?liver|\blt\b|\brt\b|appendix|"
    r"brachioceph|apicopost|anteromedio|lingu|innominate|coronary",
    re.IGNORECASE,
)
_SWAPPED = {"left": "right", "right": "left", "lul": "rul", "lll": "rll", "rul": "lul", "rll": "lll"}
_SEEN = re.compile(r"\b(is|are|was|were) (seen|observed|noted|identified|detected)\b(?! (?:to|as|with|by)\b)")
_NOT_SEEN = re.compile(r"\b(is|are|was|were) not (seen|observed|noted|identified|detected)\b(?! (?:to|as|with|by)\b)")
_SIZE = re.compile(r"(?<![\d.x×,-])(\d{1,2}) ?mm\b")
_NORMAL = re.compile(r"(?<=\b(?:is|re) )normal(?=\.$)|(?<=\bwas )normal(?=\.$)|(?<=\bwere )normal(?=\.$)")
_LOBE = re.compile(r"\b(upper|lower)(?= lobe\b)", re.IGNORECASE)
_NOUN = re.compile(rf"\b{FINDING}\b", re.IGNORECASE)
_WHOLE_ORGANS = ("spleen", "pancreas", "gallbladder", "liver", "stomach", "uterus", "prostate", "trachea", "esophagus")
# Sentences about organs that a report does not name, with the organ as the vocabulary has it.
_ADDED = {
    "The thyroid gland is enlarged.": "thyroid gland",
    "The spleen is enlarged.": "spleen",
    "The prostate is enlarged.": "prostate",
    "A stone is seen in the gallbladder.": "gallbladder",
    "There is a cyst in the pancreas.": "pancreas",
}


def other_side(text: str) -> str:
    """Return a text with left and right exchanged."""

    def swap(match: re.Match[str]) -> str:
        word = _SWAPPED[match[0].lower()]
        return word.upper() if match[0].isupper() else word.capitalize() if match[0][0].isupper() else word

    return _SIDE.sub(swap, text)


def _sides(text: str, rng: Random) -> Changed | None:
    swapped = other_side(text)
    if swapped == text or _ONE_SIDED.search(text):
        return None
    return Changed(swapped, 0, len(text), len(swapped))


def _alone(text: str) -> Iterator[tuple[int, int]]:
    """Yield the plain sentences that name an organ, stand once in the text, and that the next does not lean on."""
    spans = sentences(text)
    bodies = [text[start:end] for start, end, _ in spans]
    for number, (start, end, line) in enumerate(spans):
        body, following = bodies[number], bodies[number + 1] if number + 1 < len(bodies) else ""
        joined = number + 1 < len(spans) and spans[number + 1].line == line
        leans = joined and (GOES_ON.match(following) or not organs_in(following))
        if is_plain(body) and organs_in(body) and not GOES_ON.match(body) and not leans and bodies.count(body) == 1:
            yield start, end


def _one_sentence(edit: Callable[[str, str, Random], str | None]) -> Callable[[str, Random], Changed | None]:
    """Return the edit of one sentence by chance, of those that ``edit(sentence, text, rng)`` changes."""

    def edited(text: str, rng: Random) -> Changed | None:
        spans = list(_alone(text))
        rng.shuffle(spans)
        for start, end in spans:
            new = edit(text[start:end], text, rng)
            if new is not None and new != text[start:end]:
                return Changed(text[:start] + new + text[end:], start, end, start + len(new))
        return None

    return edited


def _is_simple(sentence: str) -> bool:
    """Return whether a sentence affirms one finding, in one clause."""
    verbs = re.findall(r"\b(?:is|are|was|were|has|have|which|that|and|or|with)\b", sentence)
    plain = not NEGATION.search(sentence) and not HEDGE.search(sentence) and not re.search("[,;()]", sentence)
    return plain and len(verbs) == 1 and len(_NOUN.findall(sentence)) == 1


def _deny(sentence: str, text: str, rng: Random) -> str | None:
    seen = _SEEN.search(sentence)
    if seen is None or not _is_simple(sentence) or not _NOUN.search(sentence, 0, seen.start()):
        return None
    return f"{sentence[: seen.start()]}{seen[1]} not {seen[2]}{sentence[seen.end() :]}"


def _doubt(sentence: str, text: str, rng: Random) -> str | None:
    opening = re.match(r"(?:There is )?(An?) ", sentence)
    if opening is None or not _is_simple(sentence) or not _SEEN.search(sentence):
        return None
    return f"{sentence[: opening.start(1)]}{opening[1][0]} possible {sentence[opening.end() :]}"


def _affirm(sentence: str, text: str, rng: Random) -> str | None:
    denied = _NOT_SEEN.search(sentence)
    if denied is None or len(NEGATION.findall(sentence)) != 1 or re.search("[,;()]|\\band\\b", sentence):
        return None
    if HEDGE.search(sentence) or not _NOUN.search(sentence, 0, denied.start()):
        return None
    return f"{sentence[: denied.start()]}{denied[1]} {denied[2]}{sentence[denied.end() :]}"


def _make_abnormal(sentence: str, text: str, rng: Random) -> str | None:
    if re.search("[,;()]", sentence) or NEGATION.search(sentence):
        return None
    return _NORMAL.sub("abnormal", sentence)


def _grow(sentence: str, text: str, rng: Random) -> str | None:
    size = _SIZE.search(sentence)
    if size is None or len(_SIZE.findall(sentence)) != 1 or int(size[1]) < 3:
        return None
    return f"{sentence[: size.start(1)]}{int(size[1]) + 41}{sentence[size.end(1) :]}"


def _enlarge_unit(sentence: str, text: str, rng: Random) -> str | None:
    size = _SIZE.search(sentence)
    if size is None or len(_SIZE.findall(sentence)) != 1 or len(re.findall(r"mm\b|cm\b", sentence)) != 1:
        return None
    return re.sub(r"mm\b", "cm", sentence)


def _move_lobe(sentence: str, text: str, rng: Random) -> str | None:
    if len(_LOBE.findall(sentence)) != 1 or len(re.findall(r"\blob|lingul|segment|zone", sentence)) != 1:
        return None
    return _LOBE.sub(lambda match: _other_lobe(match[0]), sentence)


def _other_lobe(text: str) -> str:
    return re.sub(r"\b(upper|lower)\b", lambda match: {"upper": "lower", "lower": "upper"}[match[0]], text.lower())


def _move_side(sentence: str, text: str, rng: Random) -> str | None:
    if len(_SIDE.findall(sentence)) != 1 or _ONE_SIDED.search(sentence) or re.search(r"\bboth|bilat", sentence):
        return None
    return other_side(sentence)


def _replace_organ(sentence: str, text: str, rng: Random) -> str | None:
    named = [organ for organ in _WHOLE_ORGANS if re.search(rf"\b{organ}\b", sentence)]
    if len(named) != 1 or len(organs_in(sentence)) != 1 or re.search(r"[,;]|\band\b|\blobe|bile|common", sentence):
        return None
    absent = [organ for organ in _WHOLE_ORGANS if organ not in organs_in(text) and organ not in text.lower()]
    return re.sub(rf"\b{named[0]}\b", rng.choice(absent), sentence) if absent else None


def _exchange_word(old: str, new: str) -> Callable[[str, str, Random], str | None]:
    def edit(sentence: str, text: str, rng: Random) -> str | None:
        if len(re.findall(rf"\b{old}\b", sentence, re.I)) != 1 or re.search(rf"\b{new}\b", sentence):
            return None
        return _with_word(old, new)(sentence)

    return edit


def _with_word(old: str, new: str) -> Callable[[str], str]:
    def replaced(match: re.Match[str]) -> str:
        return new.capitalize() if match[0][0].isupper() else new

    return lambda text: re.sub(rf"\b{old}\b", replaced, text, flags=re.IGNORECASE)


def _delete(sentence: str, text: str, rng: Random) -> str | None:
    return ""


def _add(text: str, rng: Random) -> Changed | None:
    options = [sentence for sentence, organ in _ADDED.items() if organ[:7] not in text.lower()]
    places = [start for start, _ in _alone(text) if text[start - 2 : start] == ". "]
    if not options or not places or re.search(r"upper abdom|solid organs|abdominal organs", text, re.IGNORECASE):
        return None
    at, sentence = rng.choice(places), rng.choice(options)
    return Changed(f"{text[:at]}{sentence} {text[at:]}", at, at, at + len(sentence) + 1)


def _with_status(status: str) -> Expected:
    return lambda claim, change, before: Claim(claim.organ, status, None)


def _with_caption(edit: Callable[[str], str]) -> Expected:
    return lambda claim, change, before: claim._replace(caption=edit(claim.caption or ""))


def _resized(claim: Claim, change: Changed, before: str) -> Claim:
    return _with_size(claim, _SIZE.sub(lambda size: f"{int(size[1]) + 41} mm", claim.caption or ""))


def _in_centimetres(claim: Claim, change: Changed, before: str) -> Claim:
    return _with_size(claim, re.sub(r"mm\b", "cm", claim.caption or ""))


def _with_size(claim: Claim, caption: str) -> Claim:
    """A lymph node of centimetres is enlarged, whatever it was before; that there are none larger stays true."""
    is_node = (
        "lymph node" in claim.organ and caption != claim.caption and not re.search(r"\b(?:no|not)\b", caption, re.I)
    )
    return Claim(claim.organ, "abnormal" if is_node else claim.status, caption)


def _in_other_organ(claim: Claim, change: Changed, before: str) -> Claim:
    new = next(organ for organ in _WHOLE_ORGANS if organ in change.text[change.start : change.new_end])
    return Claim(new, claim.status, None)


def _on_other_side(claim: Claim, change: Changed, before: str) -> Claim:
    return Claim(other_side(claim.organ), claim.status, other_side(claim.caption or ""))


def _in_other_lobe(claim: Claim, change: Changed, before: str) -> Claim:
    return Claim(_other_lobe(claim.organ), claim.status, None)


def _added_claim(change: Changed) -> Iterable[Claim]:
    sentence = change.text[change.start : change.new_end].strip()
    return (Claim(_ADDED[sentence], "abnormal", None),)


def _gone(claim: Claim, change: Changed, before: str) -> None:
    return None


CHANGES = (
    Change("sides_throughout", "left and right exchanged throughout", _sides, _on_other_side, whole=True),
    Change("side", "left for right in one sentence", _one_sentence(_move_side), _on_other_side),
    Change("lobe", "upper for lower lobe in one sentence", _one_sentence(_move_lobe), _in_other_lobe),
    Change("organ", "another organ in one sentence", _one_sentence(_replace_organ), _in_other_organ),
    Change("denied", "one finding denied", _one_sentence(_deny), _with_status("normal")),
    Change("affirmed", "one denial removed", _one_sentence(_affirm), _with_status("abnormal")),
    Change("doubted", "one finding put in doubt", _one_sentence(_doubt), _with_status("uncertain")),
    Change("made_abnormal", "one normal made abnormal", _one_sentence(_make_abnormal), _with_status("abnormal")),
    Change("size", "one size made another", _one_sentence(_grow), _resized),
    Change("unit", "mm made cm in one sentence", _one_sentence(_enlarge_unit), _in_centimetres),
    Change("severity", "mild made severe in one sentence", _one_sentence(_exchange_word("mild", "severe")),
           _with_caption(_with_word("mild", "severe"))),
    Change("time", "new made unchanged in one sentence", _one_sentence(_exchange_word("new", "unchanged")),
           _with_caption(_with_word("new", "unchanged"))),
    Change("deleted", "one sentence deleted", _one_sentence(_delete), _gone),
    Change("added", "one sentence added, about an organ that the report does not name", _add, _gone, _added_claim),
)  # fmt: skip
