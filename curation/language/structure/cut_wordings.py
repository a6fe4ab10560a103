"""Tells whether a wording that was cut from a statement still reads as a sentence."""

from __future__ import annotations

import re

_DANGLING = re.compile(
    r"(?:\b(?:as|and|or|of|the|in|with|to|for|by|at|than|from|both|which)|&|;\s*\w+)$|\b(\w{4,})\s+\1\b", re.IGNORECASE
)
# No noun follows an article: "Fracture of the with …".
_GAP = re.compile(r"\b(?:the|an?) (?:with|of|in|at|on|is|are|was|were|and|or)\b", re.IGNORECASE)
# A cut wording that begins so has lost its subject.
_NO_SUBJECT = re.compile(
    r"^(?:(?:is|are|was|were|becomes?)\b|(?:[^:]{2,40}: )?"
    r"(?:has|have|contains?|shows?|demonstrates?|(?:highly )?(?:suspicious|concerning|worrisome) for|"
    r"(?:suggestive|indicative|representative) of|"
    r"(?:consistent|compatible) with|in keeping with|due to|signifying|suggesting|representing|reflecting|indicating|"
    r"(?:probably|possibly|presumably|likely) (?:an?|the|representing|due)|estimated|resulting|with resultant|raising|"
    r"arguing|favou?ring|involving|including|encasing|surrounding|abutting)\b|"
    r"(?:[^:]{2,40}: )?(?:in|at|within) (?:the )?[\w ]{3,40}? (?:is|are|was|were) (?:stable|unchanged|normal|clear)\b)",
    re.IGNORECASE,
)
# What "not" sets aside is part of a clause before it: "(not coronary calcification)".
_SET_ASIDE = re.compile(r"^(?:[^:]{2,40}: )?not (?!\w+(?:ed|ic|ous|ly|ble|en|ing|al|ant|ent)\b)", re.IGNORECASE)


def is_well_formed(caption: str) -> bool:
    """Return whether a cut wording begins and ends where a sentence may, and repeats no word."""
    if _SET_ASIDE.match(caption) or _GAP.search(caption) or _NO_SUBJECT.match(caption):
        return False
    return _DANGLING.search(caption) is None and caption.count("(") == caption.count(")")
