"""The short answers of forms: yes and no, plus and minus, words for normal, and fields that nobody filled in.

Abbreviations that mean this only as the value of a field (NP, NAD, N, ok) are here and not in ``lexicon.yaml``.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple


class FieldAnswer(Enum):
    """What a short value says of its label. ``NEGATIVE`` denies a finding and calls an organ normal."""

    YES = auto()
    NO = auto()
    NEGATIVE = auto()
    ABSENT = auto()
    NORMAL = auto()
    EMPTY = auto()
    MINUS = auto()  # a lone dash: a minus or an empty field


class Reply(NamedTuple):
    """An answer with what stands behind it: "left, 5 mm" of "Yes - left, 5 mm"."""

    answer: FieldAnswer
    rest: str


_SEEN = (
    "seen|present|detected|identified|noted|found|visible|visuali[sz]ed|evident|demonstrated|observed|appreciated|"
    "apparent|shown|depicted"
)
_UNREAD = (
    "applicable|assessed|assessable|evaluated|evaluable|examined|imaged|included|reported|available|done|performed|"
    "scanned|specified|recorded|documented|known|given|covered|well seen|well visuali[sz]ed|fully imaged|diagnostic"
)
_PHRASES = {
    FieldAnswer.EMPTY: (
        r"not (?:seen|visuali[sz]ed|identified) (?:separately|distinctly|clearly|well)|"
        rf"n/a|n\.?a|n\.a\.|not (?:{_UNREAD})|unknown|tb[ad]|"
        r"see (?:above|below|text|comments?|notes?|impression|findings|report|description|discussion)|"
        r"as (?:above|below|described|noted|stated)(?: (?:above|below))?|pending|blank|free text|select|x+|\*+|"
        r"[_.…\s]*[_.…][_.…\s]*|"
        r"(?:please )?(?:see|refer to) (?:the )?(?:above|below|impression|findings?|comments?|reports?|notes?|text|"
        r"body|addendum|conclusion|description)(?: [\w ]{1,30})?|(?:the )?same(?: as (?:above|below))?|ditto|idem|"
        r"as (?:above|below|before|described|mentioned|noted|stated|discussed|detailed|reported)(?: [\w ]{1,30})?|"
        r"(?:described|discussed|detailed|mentioned|reported|dictated) (?:above|below|elsewhere|separately)|"
        r"[-–—]{2,}|\?+|±|\+ ?/ ?[-−–]|[-−–] ?/ ?\+|unable to (?:assess|evaluate)|"
        rf"(?:cannot|could not|can not) be (?:{_UNREAD})|non-?diagnostic|nondiagnostic|\[\s*\]|\(\s*\)|<\s*>|\{{\s*\}}|"
    ),
    FieldAnswer.NORMAL: (
        r"(?:(?:appears?|is|are|all|both|grossly|essentially|otherwise|overall) )*"
        r"(?:n\.? ?a\.? ?d|n\.? ?p|w\.? ?n\.? ?l|nl|nml|norm|free|ok|okay|o\.k|unrem|n\.? ?s\.? ?a|npf)|"
        r"(?:(?:appears?|is|are|all|both|grossly|essentially) )+n|"
        rf"(?:nil|nothing) (?:significant |relevant |acute )?abnormal(?: (?:{_SEEN}))?"
    ),
    FieldAnswer.NEGATIVE: r"neg|negative",
    FieldAnswer.ABSENT: r"absent",
    FieldAnswer.YES: rf"yes|yep|y|(?:is |are )?(?:{_SEEN}|confirmed)|positive|pos|true|\+ve|\+\+*|\d\+|affirmative",
    FieldAnswer.NO: (
        rf"no|n|nope|none|nil|false|[-–−]ve|nothing|(?:not|none|nil|nothing|never|(?:is|are) not) (?:{_SEEN})|"
        r"no (?:evidence|signs?)|(?:now |completely )?resolved|cleared|ruled out|excluded"
    ),
    FieldAnswer.MINUS: r"[-–—−]",
}
# The number of the next item of a list may have been left at the end: "1. Stones: none 2. Cysts: yes".
_WHOLE = {
    answer: re.compile(rf"(?:{pattern})(?:(?<=[a-z])\s\d)?", re.IGNORECASE) for answer, pattern in _PHRASES.items()
}
_OPENING_ANSWERS = (FieldAnswer.NORMAL, FieldAnswer.NEGATIVE, FieldAnswer.ABSENT, FieldAnswer.YES, FieldAnswer.NO)
_OPENING = {
    answer: re.compile(
        rf"(?:{_PHRASES[answer]})(?![\w+/])\.?(?P<mark>\s*[,;:(\[.]\s*|\s+[-–—]\s+|\s+)(?P<rest>\S.*)", re.I | re.S
    )
    for answer in _OPENING_ANSWERS
}
_EDGE = " \t\r\n*\"'“”`"
_TRAIL = " \t\r\n.;,!"
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_OPTIONS = re.compile(r"\s*(?:/|\||\bor\b)\s*")
# An answer that goes on like this is the beginning of a sentence: "No fracture", "Present in both lungs" apart.
_PREPOSITIONS = re.compile(r"(?:in|at|on|of|within|throughout|involving|along|near|around|from)\b", re.IGNORECASE)
_SIDES = re.compile(r"(?:left|right|both|bilateral(?:ly)?|[LR]|lt|rt)\b", re.IGNORECASE)


def bare(value: str) -> str:
    """Return a value without quotes, emphasis, its full stop and brackets around all of it."""
    value = " ".join(value.strip(_EDGE).rstrip(_TRAIL).strip(_EDGE).split())
    closing = _CLOSING.get(value[:1])
    if closing and value.endswith(closing) and value.count(value[0]) == 1 and value[1:-1].strip():
        return bare(value[1:-1])
    return value


def read_reply(value: str) -> Reply | None:
    """Return the answer that a value is or begins with; None where it is neither."""
    in_brackets = value.strip(_EDGE).rstrip(_TRAIL)[:1] in "(["
    value = bare(value)
    answer = _whole_answer(value)
    if answer is FieldAnswer.MINUS and in_brackets:
        return Reply(FieldAnswer.NO, "")
    if answer is not None:
        return Reply(answer, "")
    options = _OPTIONS.split(value)
    if len(options) > 1 and len({_whole_answer(option) for option in options} - {None}) == len(options):
        return Reply(FieldAnswer.EMPTY, "")  # "yes / no" that nobody chose from
    for answer, pattern in _OPENING.items():
        match = pattern.fullmatch(value)
        if match and (match["mark"].strip() or _follows(answer, match["rest"])):
            return Reply(answer, match["rest"].strip(" ()[].;,-–—"))
    return None


def _whole_answer(value: str) -> FieldAnswer | None:
    return next((answer for answer, pattern in _WHOLE.items() if pattern.fullmatch(value)), None)


def _follows(answer: FieldAnswer, rest: str) -> bool:
    """Tell whether ``rest`` may stand right behind an answer: "present in the liver", and not "no fracture"."""
    if answer is FieldAnswer.YES:
        return bool(_PREPOSITIONS.match(rest) or _SIDES.match(rest) or rest[0].isdigit())
    return answer in (FieldAnswer.NO, FieldAnswer.ABSENT, FieldAnswer.NEGATIVE) and bool(_PREPOSITIONS.match(rest))


def is_answer(value: str) -> bool:
    """Tell whether a value is nothing but an answer."""
    reply = read_reply(value)
    return reply is not None and not reply.rest
