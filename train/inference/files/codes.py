"""The code of a structure, as DICOM SEG and 3D Slicer store it: SNOMED CT where the vocabulary has it, or our own."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from prompts.vocabulary import Organ, load_vocabulary


class Code(NamedTuple):
    """A coded term: its value, the coding scheme and what it means."""

    value: str
    scheme: str
    meaning: str


class StructureCode(NamedTuple):
    """The category of a structure, its type, and its side if that is no part of the type."""

    category: Code
    type: Code
    side: Code | None


ANATOMICAL = Code("123037004", "SCT", "Anatomical Structure")
TISSUE = Code("85756007", "SCT", "Tissue")
SIDES = {"left": Code("7771000", "SCT", "Left"), "right": Code("24028007", "SCT", "Right")}
# The scheme of codes that only ovct has, made from the words of a prompt.
PRIVATE_SCHEME = "99OVCT"
# Characters that DICOM has for a meaning.
LONGEST_TEXT = 64


def structure_code(name: str, prompt: str) -> StructureCode:
    """Return the code of what a prompt asks for, by its words or by its name."""
    vocabulary = load_vocabulary()
    known = vocabulary.resolve(prompt) or vocabulary.resolve(name)
    organ = vocabulary.organs[known] if known else None
    if organ is not None and organ.snomed:
        meaning = plain_text(_without_side(organ), LONGEST_TEXT)
        return StructureCode(ANATOMICAL, Code(organ.snomed, "SCT", meaning), SIDES.get(organ.side or ""))
    # The same for the same words.
    value = hashlib.sha256(prompt.casefold().encode()).hexdigest()[:12].upper()
    return StructureCode(TISSUE, Code(value, PRIVATE_SCHEME, plain_text(prompt, LONGEST_TEXT)), None)


def plain_text(text: str, longest: int) -> str:
    """Return a text as DICOM takes it: no backslash, which parts values, no control characters, not too long."""
    characters = (" " if character == "\\" or not character.isprintable() else character for character in text)
    return "".join(characters)[:longest]


def _without_side(organ: Organ) -> str:
    """Return the meaning of an organ's code, of which the side is no part."""
    name = organ.name.removeprefix(f"{organ.side} ") if organ.side else organ.name
    return name[:1].upper() + name[1:]
