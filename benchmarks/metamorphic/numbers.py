"""Rewrites: sizes in other units and other writing, and small numbers as words or digits."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from benchmarks.quality.captions.kinds import FINDING

from .rewriting import Edit, Rewrite, changed, sub

_SIZE = re.compile(
    r"(?<![\w.,/:–-])(?<!to )(?<!and )(?<!or )(?P<values>\d+(?:\.\d+)?(?: ?[x×] ?\d+(?:\.\d+)?)*) ?(?P<unit>mm|cm)\b"
    r"(?![-/^²³\d])(?! ?[x×]| ?to \d|-\d| or \d| and \d)"
)
_VALUE = re.compile(r"\d+(?:\.\d+)?")
_COUNTS = {
    2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine",
}  # fmt: skip
_NOT_COUNTED = r"(?<![\d.,x×:/-])(?<!egment )(?<!egments )(?<!rade )(?<!evel )(?<!ype )(?<!tage )(?<!to )(?<!or )"
_COUNTED = (
    r"(?= (?:(?:small|large|tiny|simple|solid|hypodense|pulmonary|renal|hepatic|cortical|subpleural|millimetric|"
    r"nonspecific|adjacent|separate|discrete|metallic|additional|cystic|parenchymal|[a-z]+ed) ?){0,3}"
    rf"(?:{FINDING}|lymph nodes|foci|nodes|ribs|clips|areas)\b)"
)
_WORD = re.compile(rf"\b({'|'.join(_COUNTS.values())}){_COUNTED}", re.IGNORECASE)
_DIGIT = re.compile(rf"{_NOT_COUNTED}\b([2-9]){_COUNTED}")


def _sizes(new: Callable[[re.Match[str]], str]) -> Edit:
    """Return the edit that writes each size anew which stands alone: no part of a range, an area or a list."""
    return lambda text, rng: changed(text, _SIZE.sub(new, text))


def _in_unit(unit: str) -> Callable[[re.Match[str]], str]:
    factor = 0.1 if unit == "cm" else 10.0

    def turned(match: re.Match[str]) -> str:
        if match["unit"] == unit:
            return match[0]
        values = _VALUE.sub(lambda value: f"{round(float(value[0]) * factor, 4):g}", match["values"])
        return f"{values} {unit}"

    return turned


def _spelt_out(match: re.Match[str]) -> str:
    word = "millimeter" if match["unit"] == "mm" else "centimeter"
    return f"{match['values']} {word}{'' if match['values'] == '1' else 's'}"


def _with_hyphen(text: str, rng: Random) -> str | None:
    """Return the text with "5-mm nodule" for "5 mm nodule", before findings alone."""
    pattern = rf"(?<![\w.,/:×x–-] )(?<![\w.,/:–-])(\d+(?:\.\d+)?) ?(mm|cm)(?= (?:[a-z-]+ ){{0,2}}{FINDING}\b)"
    return changed(text, re.sub(pattern, r"\1-\2", text))


def _words_for_digits(text: str, rng: Random) -> str | None:
    return changed(text, _DIGIT.sub(lambda match: _COUNTS[int(match[1])], text))


def _digits_for_words(text: str, rng: Random) -> str | None:
    digits = {word: str(number) for number, word in _COUNTS.items()}
    return changed(text, _WORD.sub(lambda match: digits[match[1].lower()], text))


REWRITES = (
    Rewrite("mm_to_cm", "sizes in cm", "numbers", _sizes(_in_unit("cm"))),
    Rewrite("cm_to_mm", "sizes in mm", "numbers", _sizes(_in_unit("mm"))),
    Rewrite("units_spelt_out", "millimeters for mm", "numbers", _sizes(_spelt_out)),
    Rewrite("units_glued", "5mm for 5 mm", "numbers",
            _sizes(lambda match: f"{match['values']}{match['unit']}")),
    Rewrite("units_apart", "5 mm for 5mm", "numbers",
            _sizes(lambda match: f"{match['values']} {match['unit']}")),
    Rewrite("units_hyphenated", "5-mm nodule for 5 mm nodule", "numbers", _with_hyphen),
    Rewrite("decimal_commas", "2,5 cm for 2.5 cm", "numbers",
            _sizes(lambda match: match[0].replace(".", ","))),
    Rewrite("times_signs", "2 × 3 cm", "numbers",
            _sizes(lambda match: re.sub(r" ?[x×] ?", " × ", match[0]))),
    Rewrite("times_words", "2 by 3 cm", "numbers",
            _sizes(lambda match: re.sub(r" ?[x×] ?", " by ", match[0]))),
    Rewrite("times_units", "2 cm x 3 cm for 2 x 3 cm", "numbers",
            _sizes(lambda match: re.sub(r" ?[x×] ?", f" {match['unit']} x ", match["values"]) + f" {match['unit']}")),
    Rewrite("times_apart", "2 x 3 cm for 2x3 cm", "numbers",
            sub(r"(?<=\d)[x×](?=\d)", " x ")),
    Rewrite("counts_as_words", "two nodules for 2 nodules", "numbers", _words_for_digits),
    Rewrite("counts_as_digits", "2 nodules for two nodules", "numbers", _digits_for_words),
)  # fmt: skip
