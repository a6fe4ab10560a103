"""Words of labels inside plain sentences."""

from __future__ import annotations

_LONGEST_ABBREVIATION = 4


def lowered(text: str) -> str:
    """Return a label as it is written inside a sentence: "ascites" for "ASCITES"; abbreviations stay."""
    if text.isupper() and max(map(len, text.split())) > _LONGEST_ABBREVIATION:
        return text.lower()
    words = text.split()
    if len(words) > 1 and all(word[:1].isupper() and (word[1:].islower() or not word.isalpha()) for word in words):
        return text.lower()  # "Pleural Effusion"
    return text if text[1:2].isupper() or text[1:2].isdigit() else text[:1].lower() + text[1:]


def capital(text: str) -> str:
    """Return a text with a capital letter first."""
    return text[:1].upper() + text[1:]
