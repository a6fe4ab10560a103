"""Read the side that a statement opens with: "Right leg: …", "In the left hemithorax, …", "On the right, …".

It holds for the pairs that are named behind it without a side of their own, up to the next such opening.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curation.language.mentions import OrganMention
from curation.language.parsed_statement import Segment
from prompts.vocabulary import Vocabulary

_NOUNS_OF_SIDES = frozenset({"side", "aspect"})
"""They stand for no organ: "on the right side"."""
_LIMBS = frozenset(("lower extremities", "upper extremities"))

# A heading that names one is that of all around it: "RIGHT HIP" above "Femoral head: flattened".
_LIMB_JOINTS = frozenset(f"{joint} joints" for joint in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"))
# Vessels that are reported with a limb, and lie in the trunk.
_SUPPLY = {
    "kidneys": (
        "ureters",
        "renal arteries",
        "renal veins",
        "renal collecting systems",
        "renal pelves",
        "ureteropelvic junctions",
        "ureterovesical junctions",
    ),
    "lungs": ("pleura", "hila"),
    "orbits": ("globes", "optic nerves", "lacrimal glands"),
    "breasts": ("axillae", "axillary lymph nodes"),
    "ovaries": ("fallopian tubes", "adnexa"),
    "adnexa": ("ovaries", "fallopian tubes"),
    "lower extremities": (
        "iliac arteries",
        "common iliac arteries",
        "external iliac arteries",
        "internal iliac arteries",
        "iliac veins",
    ),
    "upper extremities": ("subclavian arteries", "axillary arteries", "subclavian veins"),
}


@dataclass(frozen=True, slots=True)
class SideFrame:
    """The side that a statement opens with, for the pairs in ``regions``; for every pair where it names no region."""

    side: str
    regions: tuple[OrganMention, ...] = ()


def side_frame(segment: Segment, vocabulary: Vocabulary, *, label: bool) -> SideFrame | None:
    """Return the frame that a segment is for those behind it; None for a segment that is none.

    It says nothing but where, and begins with a preposition or is a ``label``: it stands before a colon, or above what
    it holds for. A label may name what the vocabulary does not know: "Right ear: …".
    """
    if not (label or segment.preposed) or segment.verb is not None:
        return None
    mentions = [term.mention for term in segment.terms if term.mention and not term.mention.place]
    if label and len(mentions) == 1 and _LIMB_JOINTS.intersection(vocabulary.organs[mentions[0].names[0]].parents):
        side = vocabulary.organs[mentions[0].names[0]].side if len(mentions[0].names) == 1 else None
        return SideFrame(side, ()) if side and len(segment.terms) == 1 else None
    if not all(_may_frame(name, vocabulary, label=label) for mention in mentions for name in mention.names):
        return None
    others = [term for term in segment.terms if term.kind not in ("organ", "side") and term.key not in _NOUNS_OF_SIDES]
    if any(term.kind != "finding" or term.entry is not None or not label for term in others):
        return None
    sides = {term.key.removeprefix("side:") for term in segment.terms if term.kind == "side"}
    for mention in mentions:
        sides |= {side for name in mention.names if (side := vocabulary.organs[name].side)}
    return SideFrame(sides.pop(), tuple(mentions)) if sides in ({"left"}, {"right"}) else None


def _may_frame(name: str, vocabulary: Vocabulary, *, label: bool) -> bool:
    """Tell whether other organs may lie in one: in a region, and below "RIGHT KIDNEY" its parts and its ureter."""
    if vocabulary.organs[name].region:
        return True
    return label and vocabulary.organs[name].side is not None and "devices" not in vocabulary.ancestors(name)


def lies_in_region(mention: OrganMention, region: OrganMention, vocabulary: Vocabulary) -> bool:
    """Tell whether an organ lies in a region: the ribs in the "left hemithorax", a side of the chest."""
    name = region.names[0]
    if not vocabulary.organs[name].region and _LIMBS.isdisjoint(vocabulary.ancestors(name)):
        return not mention.plural and _belongs_to(mention.names[0], name, vocabulary)
    groups = {name, *vocabulary.organs[name].parents} if vocabulary.organs[name].side else {name}
    groups |= {parent for group in groups for parent in vocabulary.organs[group].parents}
    groups |= {vessels for group in groups for vessels in _SUPPLY.get(group, ())}
    return not groups.isdisjoint((mention.names[0], *vocabulary.ancestors(mention.names[0])))


def _belongs_to(name: str, organ: str, vocabulary: Vocabulary) -> bool:
    """Tell whether a pair is a part of that of a one-sided organ, or goes with it: the ureter with the kidney."""
    pairs = {parent for parent in vocabulary.organs[organ].parents if organ in (vocabulary.sided(parent) or ())}
    pairs |= {part for pair in pairs for part in _SUPPLY.get(pair, ())}
    return not pairs.isdisjoint((name, *vocabulary.ancestors(name)))


def framed_side(mention: OrganMention, frames: Sequence[SideFrame], vocabulary: Vocabulary) -> str | None:
    """Return the side that the frames of a statement give a pair, the last one that holds for it; None for no side."""
    for frame in reversed(frames):
        if not frame.regions or any(lies_in_region(mention, region, vocabulary) for region in frame.regions):
            return frame.side
    return None
