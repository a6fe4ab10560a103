"""Characters of the fonts Symbol and Wingdings, with code points of their own: signs of comparison, tick boxes."""

from __future__ import annotations

SYMBOL = {
    0x6D: "µ", 0xA3: "≤", 0xA5: "∞", 0xAB: "↔", 0xAC: "←", 0xAD: "↑", 0xAE: "→", 0xAF: "↓", 0xB0: "°", 0xB1: "±",
    0xB3: "≥", 0xB4: "×", 0xB7: "•", 0xB8: "÷", 0xB9: "≠", 0xBB: "≈", 0xD7: "·",
}  # fmt: skip
WINGDINGS = {
    0x6C: "●", 0x6E: "■", 0x6F: "☐", 0x70: "☐", 0x71: "☐", 0x72: "☐", 0x78: "☒", 0xA7: "▪", 0xA8: "☐", 0xD8: "▪",
    0xE0: "→", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
}  # fmt: skip
UNREADABLE = "\ufffd"


def symbol(font: str, code: int) -> str:
    """Return the character that ``font`` shows for a code, U+FFFD where it is not known.

    Code points from U+F000 of the private use area are the same codes.

    >>> symbol("Wingdings", 0xF0FE), symbol("Symbol", 0xB3), symbol("Symbol", 0x41)
    ('☑', '≥', '\ufffd')
    """
    code &= 0xFF
    characters = WINGDINGS if "wingdings" in font.lower() else SYMBOL
    # Digits and signs of ASCII stand in their own places in Symbol.
    ascii_sign = chr(code) if characters is SYMBOL and 0x20 <= code < 0x40 else UNREADABLE
    return characters.get(code, ascii_sign)
