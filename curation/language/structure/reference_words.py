"""Words that refer to what was named before, and those that end the phrase they stand in.

A name that ends in ``_STEMS`` holds stems (``tokens.stem``), any other holds lower-case words.
"""

from __future__ import annotations

from ..tokens import stem


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, text.split()))


# As the subject of a clause, they mean something that was named before.
PRONOUNS = frozenset("it they".split())
# With a noun they mean one that was named before, and as the subject of a clause they do so alone.
DEMONSTRATIVES = frozenset("this these those".split())
# Before a noun, they make it a part or a quality of something that was named before: "Its neck measures 11 mm".
POSSESSIVES = frozenset("its their".split())
# A noun phrase ends before one of these.
PHRASE_ENDS = frozenset(
    (
        "in on at with within without of from to by for into near around along between and or but which that measuring "
        "extending involving causing containing consistent compatible suspicious as due is are , ; : . ( )"
    ).split()
)
# Before a noun; a word before one of these is none itself.
DETERMINERS = frozenset("a an the".split()) | DEMONSTRATIVES | POSSESSIVES
# Nouns that may stand for any finding named before: "The lesion measures 5 mm", of a nodule.
GENERAL_FINDING_STEMS = _stems(
    "lesion mass nodule focus opacity abnormality tumor neoplasm density formation collection"
)
# Nouns that name a part of a finding: what is said of its neck is not said of the hernia.
PART_NOUN_STEMS = _stems(
    "portion part component aspect margin wall neck rim center core edge tip apex end limb sac lumen contents orifice "
    "border surface capsule septum septa"
)
# Nouns that mean the place of something that was named before: "At this level there is bronchiectasis".
PLACE_NOUN_STEMS = _stems("level region area location site place point")
