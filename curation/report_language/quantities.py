"""Numbers with their units in any language, so that a caption can be held against a passage that it quotes."""

from __future__ import annotations

import re
import unicodedata

from curation.language.lexicon.lexicon import load_lexicon

_UNITS = {
    "mm": "mm мм مم 毫米 ミリ 밀리 מ״מ מ\"מ", "cm": "cm см سم 厘米 公分 センチ 센티 ס״מ ס\"מ",
    "ml": "ml мл cc cm3 مل 毫升", "hu": "hu he uh ed", "%": "% ٪",
}  # fmt: skip
_UNIT_OF = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings.split()}
_UNIT = "|".join(sorted(map(re.escape, _UNIT_OF), key=len, reverse=True))
_NUMBER = r"\d+(?:[.,]\d+)?"
_JOINER = r"\s*(?:[x×*/–-]|to|by|bis|mal|à|a|до|на)\s*"
_QUANTITY = re.compile(rf"({_NUMBER}(?:{_JOINER}{_NUMBER})*)\s*({_UNIT})?(?![a-zà-ÿа-яё])|({_NUMBER})")
_IN_MM = {"cm": 10.0}


def quantities(text: str) -> frozenset[tuple[float, str]]:
    """Return the numbers of a text with their units, lengths in mm: 1,2 cm is (12.0, "mm"), and so is 12 mm."""
    text = unicodedata.normalize("NFKC", text).lower()
    text = "".join(str(unicodedata.digit(letter, letter)) if letter.isdigit() else letter for letter in text)
    values: set[tuple[float, str]] = set()
    for match in _QUANTITY.finditer(text):
        unit = _UNIT_OF.get(match[2] or "", "")
        for number in re.findall(_NUMBER, match[1] or match[3]):
            value = round(float(number.replace(",", ".")) * _IN_MM.get(unit, 1.0), 3)
            values.add((value, "mm" if unit == "cm" else unit))
    return frozenset(values)


def number_words(caption: str) -> frozenset[float]:
    """Return the numbers that an English caption writes as words ("two cysts"), which no passage shows as digits."""
    numbers = load_lexicon().numbers
    words = re.findall(r"[a-z]+", caption.lower())
    return frozenset(float(numbers[word]) for word in words if word in numbers and numbers[word] > 1)
