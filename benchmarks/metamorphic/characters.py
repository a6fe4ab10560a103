"""Rewrites: white space, invisible and unusual characters, and the case of letters."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from .rewriting import Edit, Rewrite, changed, edit_sentences, sentences, sub

_FULL_WIDTH = {code: code + 0xFEE0 for code in (*range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x61, 0x7B))}
_LIGATURES = (("ffi", "\ufb03"), ("ffl", "\ufb04"), ("ff", "\ufb00"), ("fi", "\ufb01"), ("fl", "\ufb02"))
# "… are unremarkable The lung bases …", "… of both lungs" Nodules …"
_RUN_ON = re.compile(
    r"[a-z0-9)?\"”][\"”]?\s(?:The|There|This|These|No|Both|Multiple|Bilateral|Otherwise|Stomach|When|In|It|Other) [a-z]"
)
_LONG_WORD = re.compile(r"[a-z]{9,}")


def _soft_hyphens(text: str, rng: Random) -> str | None:
    def hyphenated(word: re.Match[str]) -> str:
        at = rng.randint(3, len(word[0]) - 3)
        return f"{word[0][:at]}\u00ad{word[0][at:]}"

    return changed(text, _LONG_WORD.sub(hyphenated, text))


def _zero_width(text: str, rng: Random) -> str | None:
    marks = ("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff")
    return "\ufeff" + re.sub(r"(?<=\w) (?=\w)", lambda _: f" {rng.choice(marks)}", text)


def _zero_width_inside(text: str, rng: Random) -> str | None:
    return changed(text, re.sub(r"(?<=[a-z]{3})(?=[a-z]{3})", lambda _: rng.choice(("", "", "", "\u200b")), text))


def _many_spaces(text: str, rng: Random) -> str | None:
    """Return the text with gaps of any width, where the width of its own gaps says nothing."""
    return None if "   " in text else changed(text, re.sub(r" ", lambda _: " " * rng.randint(1, 4), text))


def _ligatures(text: str, rng: Random) -> str | None:
    rewritten = text
    for letters, ligature in _LIGATURES:
        rewritten = rewritten.replace(letters, ligature)
    return changed(text, rewritten)


def _quotes(text: str, rng: Random) -> str | None:
    opened = re.sub(r"(?<![\w\s])\"(?=\w)|(?<=\s)\"(?=\w)", "\u201c", text)
    return changed(text, re.sub(r"(?<=\w)\"", "\u201d", opened).replace("'", "\u2019"))


def _double_spaces_behind_stops(text: str, rng: Random) -> str | None:
    return edit_sentences(text, lambda sentence: sentence + " ")


def _cased(edit: Callable[[str], str]) -> Edit:
    """Return the edit of a text's letters, unless its capitals alone show where a sentence begins."""
    return lambda text, rng: None if _RUN_ON.search(text) else changed(text, edit(text))


def _title_case(text: str) -> str:
    return re.sub(r"(?<![\w'’])[a-z](?=[a-z])", lambda letter: letter[0].upper(), text)


def _capital_lines(text: str, rng: Random) -> str | None:
    """Return the text with every third sentence in capitals, as emphasis."""
    if _RUN_ON.search(text):
        return None
    chosen = [sentence for number, sentence in enumerate(sentences(text)) if number % 3 == 0]
    rewritten = text
    for start, end, _ in chosen:
        rewritten = rewritten[:start] + rewritten[start:end].upper() + rewritten[end:]
    return changed(text, rewritten)


REWRITES = (
    Rewrite("spaces_behind_stops", "two spaces behind each full stop", "characters", _double_spaces_behind_stops),
    Rewrite("spaces_doubled", "two spaces for each one", "characters", sub(r" ", "  ")),
    Rewrite("spaces_many", "one to four spaces for each one", "characters", _many_spaces),
    Rewrite("spaces_no_break", "non-breaking spaces", "characters", sub(r" ", "\u00a0")),
    Rewrite("spaces_thin", "thin, hair and figure spaces", "characters",
            lambda text, rng: changed(text, re.sub(r" ", lambda _: rng.choice("\u2009\u200a\u2007\u202f"), text))),
    Rewrite("spaces_tabs", "a tab for each space", "characters", sub(r" ", "\t")),
    Rewrite("spaces_trailing", "spaces at the end of lines", "characters", sub(r"(?=[\r\n]|\Z)", "   ")),
    Rewrite("spaces_indented", "each line indented", "characters", sub(r"^(?=\S)", "    ", re.MULTILINE)),
    Rewrite("zero_width_spaces", "zero-width characters behind spaces", "characters", _zero_width),
    Rewrite("zero_width_inside", "zero-width spaces within words", "characters", _zero_width_inside),
    Rewrite("soft_hyphens", "soft hyphens in long words", "characters", _soft_hyphens),
    Rewrite("full_width", "full-width letters and digits", "characters",
            lambda text, rng: changed(text, text.translate(_FULL_WIDTH))),
    Rewrite("ligatures", "typographical ligatures (ﬁ, ﬂ)", "characters", _ligatures),
    Rewrite("hyphens_no_break", "non-breaking hyphens", "characters", sub(r"(?<=\w)-(?=\w)", "\u2011")),
    Rewrite("dashes", "en dashes for hyphens between numbers", "characters", sub(r"(?<=\d)-(?=\d)", "\u2013")),
    Rewrite("quotes", "typographic quotation marks", "characters", _quotes),
    Rewrite("stops_doubled", "two full stops for one", "characters",
            lambda text, rng: edit_sentences(text, lambda sentence: sentence + ".")),
    Rewrite("upper_case", "all in capitals", "characters", _cased(str.upper)),
    Rewrite("lower_case", "no capitals", "characters", _cased(str.lower)),
    Rewrite("title_case", "Each Word With A Capital", "characters", _cased(_title_case)),
    Rewrite("capital_sentences", "every third sentence in capitals", "characters", _capital_lines),
)  # fmt: skip
