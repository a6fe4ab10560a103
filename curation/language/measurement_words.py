"""Words around numbers: units, joiners of dimensions, bounds, links to an earlier examination, phases of contrast."""

from __future__ import annotations

import re

# Unit -> (kind of quantity, factor to the base unit of that kind: mm, ml, HU, %, degree).
UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), ("length", 1.0)),
    **dict.fromkeys(("cm", "cms", "centimeter", "centimeters", "centimetre", "centimetres"), ("length", 10.0)),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), ("length", 1000.0)),
    **dict.fromkeys(("inch", "inches"), ("length", 25.4)),
    **dict.fromkeys(("ml", "cc", "milliliter", "milliliters", "millilitres", "cm3"), ("volume", 1.0)),
    **dict.fromkeys(("l", "liter", "liters", "litre", "litres"), ("volume", 1000.0)),
    **dict.fromkeys(("hu", "hounsfield"), ("HU", 1.0)),
    **dict.fromkeys(("%", "percent"), ("percent", 1.0)),
    **dict.fromkeys(("°", "degree", "degrees"), ("angle", 1.0)),
}
# The second word of "Hounsfield units".
SECOND_UNIT_WORDS = frozenset(("unit", "units"))
RANGE_JOINERS = frozenset(("-", "–", "to"))
DIMENSION_JOINERS = frozenset(("x", "×", "*", "by"))

# Bounds as they stand before a number, longest first. "≤" is what one lesion of several, or one diameter, reaches.
BOUNDS = tuple(
    (tuple(phrase.split()), bound)
    for bound, phrases in {
        "<": "less than or equal to, less than, smaller than, lower than, under, below, sub, not exceeding, <, ≤",
        ">": "more than, greater than, larger than, bigger than, at least, over, above, exceeding, >, ≥",
        "≤": "up to, as large as, maximally, maximum of, maximum, maximal, max, at most",
    }.items()
    for phrase in phrases.split(", ")
)
LAST_WORDS_OF_BOUNDS = frozenset(words[-1] for words, _ in BOUNDS)

# What may stand between a word such as "previously" and the number behind it, or before it. The words for "earlier"
# itself are in ``word_lists.EARLIER_BY_A_NUMBER``.
FILLERS_BEFORE_A_NUMBER = frozenset(
    "a an the of at it its size sizes diameter measured measuring was were is as with to in on ct scan study exam "
    "examination there approximately about up on one : value measurement dated".split()
)
FILLERS_BEHIND_A_NUMBER = frozenset("in on at the its size diameter ct".split())
# Before "from" and a number, they say that a change began there.
CHANGE = re.compile(
    r"(?:increas|decreas|grow|grew|shr[aiu]nk|chang|reduc|regress|progress|enlarg|declin|diminish|improv|rise|rose|fell"
    r"|went|enhanc|down|up$)"
)
# The value before a change ends at one of these.
ENDS_OF_FORMER_VALUE = frozenset(("to", ",", ";", "."))
# Words beside an attenuation, with the phase of contrast that they name.
PHASES = {
    "before": "native", "pre": "native", "precontrast": "native", "unenhanced": "native", "noncontrast": "native",
    "native": "native", "after": "enhanced", "post": "enhanced", "postcontrast": "enhanced", "enhanced": "enhanced",
    "arterial": "arterial", "portal": "venous", "venous": "venous", "portovenous": "venous", "delayed": "delayed",
}  # fmt: skip
