"""Words around numbers: units, joiners, axes, bounds, links to an earlier examination, phases of contrast."""

from __future__ import annotations

import re

# Unit -> (kind of quantity, factor to the base unit of that kind: mm, ml, g, day, HU, %, degree).
UNITS: dict[str, tuple[str, float]] = {
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), ("length", 1.0)),
    **dict.fromkeys(("cm", "cms", "centimeter", "centimeters", "centimetre", "centimetres"), ("length", 10.0)),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), ("length", 1000.0)),
    **dict.fromkeys(("inch", "inches"), ("length", 25.4)),
    **dict.fromkeys(("ml", "cc", "milliliter", "milliliters", "millilitres", "cm3", "cm³"), ("volume", 1.0)),
    **dict.fromkeys(("l", "liter", "liters", "litre", "litres"), ("volume", 1000.0)),
    **dict.fromkeys(("mm3", "mm³"), ("volume", 0.001)),
    **dict.fromkeys(("mm2", "mm²"), ("area", 1.0)),
    **dict.fromkeys(("cm2", "cm²"), ("area", 100.0)),
    **dict.fromkeys(("g", "gm", "gms", "gram", "grams", "gramme", "grammes"), ("weight", 1.0)),
    **dict.fromkeys(("kg", "kilogram", "kilograms"), ("weight", 1000.0)),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), ("duration", 1 / 24)),
    **dict.fromkeys(("day", "days"), ("duration", 1.0)),
    **dict.fromkeys(("week", "weeks", "wk", "wks"), ("duration", 7.0)),
    **dict.fromkeys(("month", "months", "mo", "mos"), ("duration", 365.25 / 12)),
    **dict.fromkeys(("year", "years", "yr", "yrs"), ("duration", 365.25)),
    **dict.fromkeys(("hu", "hounsfield"), ("HU", 1.0)),
    **dict.fromkeys(("%", "percent"), ("percent", 1.0)),
    **dict.fromkeys(("°", "degree", "degrees"), ("angle", 1.0)),
}
# Before a length they make it an area or a volume: "square centimeters"; its factor is raised to the power.
POWERS = {"square": ("area", 2), "sq": ("area", 2), "cubic": ("volume", 3), "cu": ("volume", 3)}
BASE_OF_VOLUME = 0.001
"""Milliliters in one cubic millimeter."""
# The second word of "Hounsfield units".
SECOND_UNIT_WORDS = frozenset(("unit", "units"))
# Between "HU" and the number behind it.
FILLERS_BEHIND_HU = frozenset("unit units value values of is was : = measuring about".split())
VULGAR_FRACTIONS = {
    "½": 1 / 2, "¼": 1 / 4, "¾": 3 / 4, "⅓": 1 / 3, "⅔": 2 / 3, "⅛": 1 / 8, "⅜": 3 / 8, "⅝": 5 / 8, "⅞": 7 / 8,
}  # fmt: skip
# A word that is a bound and a unit in one: "a subcentimeter node" is one below 1 cm.
UNITS_WITH_BOUND = {
    **dict.fromkeys("subcentimeter subcentimetre subcentimetric subcm".split(), 10.0),
    **dict.fromkeys("submillimeter submillimetre submillimetric".split(), 1.0),
}
# Behind "sub" and a hyphen or blank they are such a word.
UNITS_BEHIND_SUB = {"centimeter": 10.0, "centimetre": 10.0, "centimetric": 10.0, "cm": 10.0, "millimeter": 1.0,
                    "millimetre": 1.0, "millimetric": 1.0, "mm": 1.0}  # fmt: skip
RANGE_JOINERS = frozenset(("-", "–", "to", "or"))
DIMENSION_JOINERS = frozenset(("x", "×", "*", "by"))

# Axes of a dimension, as they stand beside its number, with the axis that they name.
AXES = {
    **dict.fromkeys(("ap", "anteroposterior"), "anteroposterior"),
    **dict.fromkeys(("tr", "trv", "tv", "trans", "transverse", "transversal", "mediolateral"), "transverse"),
    **dict.fromkeys(("cc", "si", "craniocaudal", "cephalocaudal", "caudocranial", "superoinferior"), "craniocaudal"),
    **dict.fromkeys(("width", "wide", "w"), "width"),
    **dict.fromkeys(("height", "high", "tall", "h"), "height"),
    **dict.fromkeys(("length", "long", "l"), "length"),
    **dict.fromkeys(("depth", "deep", "d"), "depth"),
    **dict.fromkeys(("thickness", "thick"), "thickness"),
}
# Those that are words, and no letters which may be units as well.
NAMES_OF_AXES = frozenset(name for name in AXES if len(name) > 2) | {"ap"}
# The same in two words with a hyphen or blank between them.
AXES_IN_TWO_WORDS = {
    ("anterior", "posterior"): "anteroposterior", ("antero", "posterior"): "anteroposterior",
    ("cranio", "caudal"): "craniocaudal", ("cephalo", "caudal"): "craniocaudal",
    ("superior", "inferior"): "craniocaudal", ("medial", "lateral"): "transverse",
}  # fmt: skip
# Nouns behind an axis: "in AP dimension".
AXIS_NOUNS = frozenset("dimension dimensions diameter extent direction plane axis measurement".split())

# Before a number, they make it no other one: "about 5 cm" and "5 cm" may stand for each other.
APPROXIMATIONS = frozenset("about approximately approximate approx around roughly circa ca ~ ≈ \u223c some".split())

# Bounds as they stand before a number, longest first. "up to" is what one lesion of several, or one diameter, reaches.
BOUNDS = tuple(
    (tuple(phrase.split()), bound)
    for bound, phrases in {
        "≤": "less than or equal to, smaller than or equal to, not exceeding, no more than, not more than, no larger "
        "than, not larger than, no greater than, not greater than, at most, < =, ≤, ⩽, ≦",
        "≥": "greater than or equal to, more than or equal to, larger than or equal to, at least, no less than, not "
        "less than, > =, ≥, ⩾, ≧",
        "<": "less than, smaller than, lower than, fewer than, under, below, sub -, sub, <, \ufe64, \uff1c",
        ">": "more than, greater than, larger than, bigger than, over, above, exceeding, in excess of, "
        ">, \ufe65, \uff1e",
        "up to": "up to, as large as, as much as, as many as, maximally, maximum of, maximum, maximal, max ., max",
    }.items()
    for phrase in phrases.split(", ")
)
LAST_WORDS_OF_BOUNDS = frozenset(words[-1] for words, _ in BOUNDS)
# The same behind a number: "5 mm or less".
BOUNDS_BEHIND = {
    **dict.fromkeys(("less", "smaller", "fewer", "lower"), "≤"),
    **dict.fromkeys(("more", "greater", "larger", "above", "higher"), "≥"),
}
# Before a number they say that the others are no larger: "nodules, the largest 12 mm".
LARGEST = frozenset("largest biggest greatest larger bigger".split())
FILLERS_BEHIND_LARGEST = frozenset(
    "of which these them one being is are was measuring measures measured diameter size dimension about approximately "
    "at in : up to".split()
)
# The bound of a caption that follows from that of its evidence, with the same number.
FOLLOWING_BOUNDS = {
    "": frozenset(("",)), "<": frozenset(("<", "≤")), ">": frozenset((">", "≥")), "≤": frozenset(("≤", "up to")),
    "≥": frozenset(("≥",)), "up to": frozenset(("up to", "≤", "")),
}  # fmt: skip

# What may stand between a word such as "previously" and the number behind it, or before it. The words for "earlier"
# itself are in ``word_lists.EARLIER_BY_A_NUMBER``.
FILLERS_BEFORE_A_NUMBER = frozenset(
    "a an the of at it its size sizes diameter measured measuring was were is as with to in on ct scan study exam "
    "examination there be approximately about up on one : value measurement dated".split()
)
FILLERS_BEHIND_A_NUMBER = frozenset("in on at the its size diameter ct as of from dated [ (".split())
# Between a word of today and the number behind it: "now measures 5 mm".
FILLERS_BEHIND_TODAY = FILLERS_BEFORE_A_NUMBER | {"measures", "measure"}
# Between a date and the size that it dates: "3/4/2020: 9 mm".
FILLERS_BEHIND_A_DATE = FILLERS_BEFORE_A_NUMBER | {",", "-", "–", ")", "]"}
# Before a date, they make it the day since when something is as it is, and not that of a size.
SINCE = frozenset("since from to with until between compared comparison versus vs".split())
# With one of these, what was seen on an earlier day is there today: "also seen in 2019".
STILL_SO = frozenset("also already again first as still unchanged stable similar".split())
# Behind a duration, they make it a distance to the past: "three months ago".
AGO = frozenset("ago earlier prior previously before back".split())
# Before or behind a number, they make it that of today.
TODAY = frozenset("now today currently current presently".split())
ARROWS = (("-", ">"), ("-", "-", ">"), ("→",), ("➔",), ("⇒",), ("=", ">"))
FIRST_OF_ARROWS = frozenset(arrow[0] for arrow in ARROWS)
# Before "from" and a number, they say that a change began there.
CHANGE = re.compile(
    r"(?:increas|decreas|grow|grew|shr[aiu]nk|chang|reduc|regress|progress|enlarg|declin|diminish|improv|rise|rose|fell"
    r"|went|enhanc|widen|expand|thicken|lengthen|narrow|worsen|evolv|advanc|down|up$)"
)
# The value before a change ends at one of these.
ENDS_OF_FORMER_VALUE = frozenset(("to", ",", ";", "."))
# Words beside an attenuation, with the phase of contrast that they name.
PHASES = {
    "before": "native", "pre": "native", "precontrast": "native", "unenhanced": "native", "noncontrast": "native",
    "native": "native", "after": "enhanced", "post": "enhanced", "postcontrast": "enhanced", "enhanced": "enhanced",
    "arterial": "arterial", "portal": "venous", "venous": "venous", "portovenous": "venous", "delayed": "delayed",
}  # fmt: skip

# Nouns whose number tells which one is meant, and no how many: "image 56", "segment 7", "grade 2". With the noun that
# is the same for all its forms.
NUMBERED_NOUNS = {
    form: forms.split()[0]
    for forms in (
        "image images im img imgs", "series se ser", "slice slices sl", "frame frames", "sequence", "page pages",
        "segment segments seg", "grade grades", "stage stages", "type types", "level levels", "class classes",
        "category categories", "zone zones", "station stations", "group groups", "score scores", "rads lungrads",
        "birads", "bosniak", "fleischner", "balthazar", "rutherford", "aast", "gleason", "ecog", "rib ribs",
        "vertebra vertebrae", "number no nr num", "figure fig", "day", "week", "month", "year",
    )
    for form in forms.split()
}  # fmt: skip
LABEL_MARKS = frozenset("- – : = . # no number".split())
# Of these the number may stand behind "of" too: "a score of 12", unlike "a group of 12 nodes".
NOUNS_BEFORE_OF = frozenset(("score", "grade", "stage", "category", "class"))
WORDS_OF_VALUE = frozenset(("of", "is", "was"))
# They go on with the numbers of one noun: "images 4 and 5".
LABEL_JOINERS = frozenset(", and - – / to & or : ;".split())
