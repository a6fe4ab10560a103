"""Tells whether a wording that was cut from a statement still reads as a sentence."""

from __future__ import annotations

import re
from itertools import pairwise

from ..assertion import Polarity
from ..forms.findings import is_adjective
from ..parsed_statement import ParsedStatement

_DANGLING = re.compile(
    r"(?:\b(?:as|and|or|of|the|in|with|to|for|by|at|than|from|both|which|versus|vs|"
    r"abutting|invading|encasing|involving|contacting|compressing|causing|containing)|&|;\s*\w+)$|\b(\w{4,})\s+\1\b",
    re.IGNORECASE,
)
# No noun follows an article: "Fracture of the with …".
_GAP = re.compile(r"\b(?:the|an?) (?:with|of|in|at|on|is|are|was|were|and|or)\b", re.IGNORECASE)
# A cut wording that begins so has lost its subject.
_NO_SUBJECT = re.compile(
    r"^(?:(?:is|are|was|were|becomes?)\b|(?:[^:]{2,40}: )?"
    r"(?:has|have|contains?|shows?|demonstrates?|begins?|starts?|arises?|originates?|terminates?|occludes?|tapers?|"
    r"reconstitutes?|extends?|reaches|crosses|ends|(?:\w+ly )?(?:suspicious|concerning|worrisome) for|"
    r"(?:\w+ly )?(?:suggestive|indicative|representative) of|secondary to|attributable to|"
    r"expected (?:after|following|for|given)|complicated (?:by|with)|"
    r"(?:resected|removed|excised) (?:along |together )?with|"
    r"(?:consistent|compatible) with|in keeping with|due to|signifying|suggesting|representing|reflecting|indicating|"
    r"(?:probably|possibly|presumably|likely) (?:an?|the|representing|due)|estimated|resulting|with resultant|raising|"
    r"arguing|favou?ring|(?:not )?(?:\w+ly )?(?:involving|including|encasing|surrounding|abutting|invading|contacting|"
    r"touching|infiltrating|displacing|indenting))\b|"
    r"(?:[^:]{2,40}: )?(?:in|at|within) (?:the )?[\w ]{3,40}? (?:is|are|was|were) (?:stable|unchanged|normal|clear)\b)",
    re.IGNORECASE,
)
# A name that is left of a list, and what is said of the finding that stood before it: "T8, age indeterminate".
_OF_THE_FINDING = re.compile(
    r"^(?:[^:]{2,40}: )?[\w/ -]{1,40}, (?:of )?(?:(?:indeterminate|uncertain|unknown) )?"
    r"(?:age|acuity|chronicity|a?etiology|cause|origin)\b",
    re.IGNORECASE,
)
# What "not" sets aside is part of a clause before it: "(not coronary calcification)".
_SET_ASIDE = re.compile(
    r"^(?:[^:]{2,40}: )?not "
    r"(?:\w+ly (?:at|in|on|within|along)\b|(?!\w+(?:ed|ic|ous|ly|ble|en|ing|al|ant|ent)\b))",
    re.IGNORECASE,
)


def is_well_formed(caption: str) -> bool:
    """Return whether a cut wording begins and ends where a sentence may, and repeats no word."""
    if _GAP.search(caption) or any(p.match(caption) for p in (_SET_ASIDE, _NO_SUBJECT, _OF_THE_FINDING)):
        return False
    return _DANGLING.search(caption) is None and caption.count("(") == caption.count(")")


def lacks_what_is_found(caption: ParsedStatement) -> bool:
    """Return whether a cut wording has lost what is found: "Multiple; posterior part", "Pelvis: likely benign"."""
    runs = [segment for segment, following in pairwise(caption.segments) if following.joiner == ";"]
    if any(all(term.kind in ("modifier", "side") for term in segment.terms) for segment in runs):
        return True
    said = [term for term in caption.terms if term.mention is None]
    if (
        not said
        or said[0].kind != "hedge"
        or any(term.mention and term.start > said[0].start for term in caption.terms)
    ):
        return False
    return all(term.kind == "hedge" or term.is_normality or is_adjective(caption, term) for term in said)


def denies_normality_of(caption: ParsedStatement) -> bool:
    """Return whether "no" denies what is called normal behind it: "No foramina patent", unlike "No normal ovary"."""
    for term in caption.terms:
        if not term.is_normality or term.polarity != Polarity.NEGATED:
            continue
        cues = [cue for cue in caption.terms if cue.kind == "negation" and cue.end <= term.start]
        if not cues or caption.tokens[cues[-1].start].word not in ("no", "without"):
            continue
        if any(other.mention and cues[-1].end <= other.start < term.start for other in caption.terms):
            return True
    return False
