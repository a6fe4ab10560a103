"""The organ system of each organ, which gives its captions their colour: by what the vocabulary has it as a part of."""

from __future__ import annotations

from collections.abc import Callable

from prompts.vocabulary import Vocabulary

OTHER = "other"
# Entries of the vocabulary under which the organs of a system stand. Of several the first counts: the spinal cord is
# of the nervous system, though it is also a part of the spine.
ROOTS: dict[str, tuple[str, ...]] = {
    "devices": ("devices",),
    "lymphatic": ("lymphatic system",),
    "nervous": ("nervous system", "meninges", "extra-axial spaces", "basal cisterns", "subarachnoid space"),
    "endocrine": ("endocrine system",),
    "reproductive": ("reproductive system", "breasts"),
    "urinary": ("urinary system", "perinephric spaces"),
    "digestive": ("digestive system", "peritoneum", "peritoneal cavity", "mesentery", "omentum"),
    "respiratory": ("respiratory system", "diaphragm"),
    "cardiovascular": ("cardiovascular system",),
    "musculoskeletal": (
        "skeleton", "muscles", "tendons", "ligaments", "soft tissues", "adipose tissue", "chest wall", "abdominal wall",
        "upper extremities", "lower extremities",
    ),
    "head and neck": ("head", "neck"),
}  # fmt: skip
SYSTEMS = (
    "respiratory", "cardiovascular", "lymphatic", "digestive", "urinary", "endocrine", "reproductive",
    "musculoskeletal", "nervous", "head and neck", "devices", OTHER,
)  # fmt: skip
"""All systems, in the order in which pages list them."""


def organ_systems(vocabulary: Vocabulary) -> Callable[[str], str]:
    """Return a function from the name of an organ to its system: ``OTHER`` for a place and for an unknown organ."""
    systems: dict[str, str] = {}

    def system_of(organ: str) -> str:
        if organ not in systems:
            systems[organ] = _system(vocabulary, organ)
        return systems[organ]

    return system_of


def _system(vocabulary: Vocabulary, organ: str) -> str:
    if organ not in vocabulary.organs:
        return OTHER
    above = vocabulary.ancestors(organ) | {organ}
    return next((system for system, roots in ROOTS.items() if not above.isdisjoint(roots)), OTHER)
