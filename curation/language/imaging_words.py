"""Which names of organs are none: those of a phase of contrast, a sequence of MR, a window, a stage of a tumor.

"Arterial hyperenhancement", "bright on T2" and "bone windows" name no artery, no vertebra and no bone; "thickening of
the arterial wall" and "fracture of T2" do. What governs the word decides: the noun that it stands before or, for the
sequences, a word of signal on either side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .mentions import OrganMention
from .tokens import Token
from .word_lists import FUNCTION_WORDS, LIST_JOINERS, VERBS

# Adjectives of vessels and ducts that name a phase before one of the nouns below.
CONTRAST_ADJECTIVES = frozenset(
    "arterial arterially venous portal portovenous hepatobiliary nephrographic nephrogenic excretory urographic "
    "pyelographic corticomedullary".split()
)
PHASE_NOUNS = frozenset(("phase", "phases", "phased", "timing"))
IMAGE_NOUNS = frozenset(
    "image images imaging acquisition acquisitions scan scans series sequence sequences run runs pass".split()
)
WINDOW_NOUNS = frozenset(("window", "windows", "windowing", "algorithm", "algorithms", "kernel", "kernels"))
# Tissues that windows are named after, where the vocabulary takes the whole name for no organ.
WINDOW_TISSUES = frozenset(
    "bone bony brain lung pulmonary liver mediastinal mediastinum abdominal stroke subdural".split()
)
# Beginnings of words for what a lesion does with contrast.
ENHANCEMENT = ("enhanc", "hyperenhanc", "hypoenhanc", "nonenhanc", "isoenhanc", "washout", "washin", "hypervascular")
WASH = frozenset(("wash", "washes", "washed", "washing"))
# Words that may stand between two phases, or between a phase and its noun.
PHASE_MODIFIERS = frozenset(
    "late early delayed delay equilibrium parenchymal parenchyma cortical contrast dynamic native unenhanced "
    "noncontrast precontrast postcontrast soft tissue interstitial transitional standard wide narrow".split()
)
# Between an adjective and an enhancement, they make the enhancement that of a vessel: "arterial wall enhancement".
PARTS_OF_VESSELS = frozenset("wall walls mural lumen luminal intima intimal graft stent sinus tree system bed".split())
_FARTHEST = 4
"""Words between "arterial" and its enhancement: "arterial nonrim hyperenhancement"."""

HEADING_MARKS = frozenset((":", ";", ","))
# Before a window they make it a heading: "When examined in the lung parenchyma window".
FRAME_WORDS = FUNCTION_WORDS | frozenset(
    "when examined evaluated examination seen viewed made performed bilateral".split()
)

T_SEQUENCES = frozenset(("t1", "t2"))
SEQUENCES = T_SEQUENCES | frozenset("flair stir dwi adc swi gre pd tirm spair spgr tse fse haste ssfse vibe".split())
# Words for the signal of a sequence, behind its name or before "on", and beginnings of such words.
SIGNAL_WORDS = frozenset("fat map maps mapping w wi wtd pre post postcontrast precontrast contrast space".split())
SIGNAL = (
    "hyperintens", "hypointens", "isointens", "intens", "bright", "dark", "signal", "weight", "sequenc", "imag",
    "prolong", "shorten", "shin", "relax",
)  # fmt: skip
INTENSITY = ("hyperintens", "hypointens", "isointens", "intens", "bright", "dark")
# They grade a signal: "T2 high signal".
SIGNAL_GRADES = frozenset(
    "high low increased decreased abnormal elevated intermediate altered heterogeneous homogeneous mixed".split()
)
PREPOSITIONS_OF_SEQUENCES = frozenset(("on", "in", "with"))
VERTEBRAL = ("vertebr", "bod", "level", "fractur", "endplate", "spinous", "pedicle", "transverse")
# "Anterolisthesis of T1 on T2" is about vertebrae.
SLIPS = ("listhes", "subluxat", "dislocat", "slip")
STAGING = frozenset(("stage", "staged", "staging", "pt", "ct", "yp", "tnm", "category"))
NODAL_STAGES = frozenset(("n0", "n1", "n2", "n3", "nx", "m0", "m1", "mx", "n"))
_JOINERS = LIST_JOINERS | {"-", "–"}
_LONGEST_LIST = 16
"""Tokens of the longest list of sequences."""

# Most statements have none of these, and no name of imaging.
_SIGNS = CONTRAST_ADJECTIVES | PHASE_NOUNS | WINDOW_NOUNS | T_SEQUENCES | {"t"}


class ImagingName(NamedTuple):
    """Tokens ``[start, end)`` name no organ; what governs them is at ``head``, or before them where that is ``end``."""

    start: int
    end: int
    head: int


def imaging_names(tokens: Sequence[Token], mentions: Sequence[OrganMention]) -> list[ImagingName]:
    """Return the tokens that look like organs and name a phase, a sequence, a window or a stage, in order."""
    if _SIGNS.isdisjoint([token.word for token in tokens]):
        return []
    organ_tokens = {index for mention in mentions for index in range(mention.start, mention.end)}
    bare = [
        (index, index + 1)
        for index, token in enumerate(tokens)
        if index not in organ_tokens and (token.word in CONTRAST_ADJECTIVES or token.word in T_SEQUENCES)
    ]
    names = []
    for start, end in sorted([*bare, *((mention.start, mention.end) for mention in mentions)]):
        head = _head(tokens, start, end, organ_tokens)
        if head is not None:
            names.append(ImagingName(start, end, head))
    return names


def window_heading(tokens: Sequence[Token]) -> int:
    """Return the end of a window that opens a statement as a heading, or 0: "When examined in the bone window; …"."""
    if WINDOW_NOUNS.isdisjoint([token.word for token in tokens[: 3 * _FARTHEST]]):
        return 0
    for at, token in enumerate(tokens[: 3 * _FARTHEST]):
        if token.word in WINDOW_NOUNS and at and not tokens[at - 1].word.startswith("aort"):
            start = next((index for index in range(at) if tokens[index].word not in FRAME_WORDS), at)
            tissue = all(token.word in PHASE_MODIFIERS or token.word in WINDOW_TISSUES for token in tokens[start:at])
            return at + 1 if tissue and start < at and _is_heading(tokens, start, at) else 0
    return 0


def _head(tokens: Sequence[Token], start: int, end: int, organ_tokens: set[int]) -> int | None:
    """Return the index of the word that makes tokens ``[start, end)`` a name of imaging, None where there is none."""
    words = [token.word for token in tokens[start:end]]
    if all(word in T_SEQUENCES or word in {"-", "/", "t", "1", "2"} for word in words):
        return _signal_behind(tokens, end) or (end if _is_sequence(tokens, start, end) else None)
    if words[-1] in CONTRAST_ADJECTIVES:
        return _contrast_behind(tokens, end, organ_tokens)
    if end < len(tokens) and tokens[end].word in PHASE_NOUNS:
        return end
    return None if _is_plural(words[-1]) else _window_behind(tokens, start, end, organ_tokens)


def _contrast_behind(tokens: Sequence[Token], end: int, organ_tokens: set[int]) -> int | None:
    """Return the place of the phase, image or enhancement that an adjective of contrast stands before."""
    at, listed = end, False
    while at < len(tokens) and at - end <= 2 * _FARTHEST:
        word = tokens[at].word
        if word in PHASE_NOUNS or word in IMAGE_NOUNS:
            return at
        if _is_enhancement(tokens, at):
            return None if listed else at
        if word in _JOINERS:
            listed |= word != "-"
        elif word not in CONTRAST_ADJECTIVES and word not in PHASE_MODIFIERS and (at not in organ_tokens or not listed):
            if listed or not _may_grade(word) or at - end >= _FARTHEST:
                return None
        at += 1
    return None


def _is_enhancement(tokens: Sequence[Token], at: int) -> bool:
    word = tokens[at].word
    return word.startswith(ENHANCEMENT) or word in WASH


def _may_grade(word: str) -> bool:
    """Tell whether a word may stand between "arterial" and "enhancement" as a quality of the enhancement."""
    return word.isalpha() and word not in PARTS_OF_VESSELS and word not in FUNCTION_WORDS and word not in VERBS


def _window_behind(tokens: Sequence[Token], start: int, end: int, organ_tokens: set[int]) -> int | None:
    """Return the place of the window that an organ, alone or in a list, stands before: "lung and bone windows".

    None for a window that is a heading for what follows it: "In the lung window; two nodules".
    """
    at = end
    while at < len(tokens) and at - end <= 2 * _FARTHEST:
        word = tokens[at].word
        if word in WINDOW_NOUNS and at not in organ_tokens and not tokens[at - 2].word.startswith("aort"):
            return None if _is_heading(tokens, start, at) else at
        names_window = (
            word in PHASE_MODIFIERS or word in WINDOW_TISSUES or (at in organ_tokens and not _is_plural(word))
        )
        if word not in _JOINERS and not names_window:
            return None
        at += 1
    return None


def _is_heading(tokens: Sequence[Token], start: int, head: int) -> bool:
    """Tell whether a window opens a statement, for what is seen in it: "When examined in the bone window; …"."""
    following = head + 1
    if following + 1 < len(tokens) and tokens[following].word in {"is", "are"}:
        following += 2  # "when the lung window is examined;"
    frame = FRAME_WORDS | WINDOW_NOUNS | WINDOW_TISSUES | PHASE_MODIFIERS | HEADING_MARKS
    if not all(token.word in frame for token in tokens[:start]):
        return False
    return following >= len(tokens) or tokens[following].word in HEADING_MARKS


def _is_plural(word: str) -> bool:
    return word.endswith("s") and not word.endswith(("ss", "us", "is"))


def _signal_behind(tokens: Sequence[Token], end: int) -> int | None:
    """Return the place of the word of signal that a sequence, alone or in a list, stands before."""
    listed = False
    for at in range(end, min(len(tokens), end + _LONGEST_LIST)):
        word, following = tokens[at].word, tokens[at + 1].word if at + 1 < len(tokens) else ""
        if word in _JOINERS and word != "-":
            listed = True
            if following not in SEQUENCES and following not in SIGNAL_GRADES:
                return None
        elif word in SIGNAL_GRADES:
            if following not in SEQUENCES and (listed or not following.startswith(SIGNAL)):
                return None
        elif word in SEQUENCES:
            listed = False
        elif word not in {"-", "*"}:
            return at if _is_signal(word) else None
    return None


def _is_signal(word: str) -> bool:
    return word in SIGNAL_WORDS or word.startswith(SIGNAL)


def _is_sequence(tokens: Sequence[Token], start: int, end: int) -> bool:
    """Tell whether what stands before T1 or T2 makes it a sequence ("bright on T2") or a stage ("stage T2")."""
    if end < len(tokens) and tokens[end].word in NODAL_STAGES:
        return True
    before = list(_words_before(tokens, start))
    if not before:
        return False
    is_vertebra = end < len(tokens) and tokens[end].word.startswith(VERTEBRAL)
    if before[0] in STAGING or (before[0] in SEQUENCES and not is_vertebra):
        return True
    if before[0] not in PREPOSITIONS_OF_SEQUENCES or is_vertebra:
        return False
    if before[0] == "on":
        words = [token.word for token in tokens]
        return any(map(_is_signal, words)) and not any(slip in word for word in words for slip in SLIPS)
    return before[1:2] != [] and before[1].startswith(INTENSITY)


def _words_before(tokens: Sequence[Token], start: int) -> Iterator[str]:
    """Yield the words before a sequence, the nearest first, without articles and other sequences of its list."""
    listed = True
    for token in reversed(tokens[max(0, start - _LONGEST_LIST) : start]):
        if listed and (token.word in SEQUENCES or token.word in _JOINERS or token.word in {"the", "both"}):
            if token.word in SEQUENCES and token.word not in T_SEQUENCES:
                yield token.word
            continue
        listed = False
        yield token.word
