"""A colour for each structure, the same one in every file and every run, and never one for two structures of a result.

The palette is made once: of the colours that can be told from a CT's greys, each next one is that which lies farthest
from all before it, in CIELAB. So the first hundred, which TotalSegmentator's structures have, lie far apart. Other
structures of the vocabulary have theirs by their name, other prompts by their words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np

from prompts.vocabulary import load_vocabulary
from train.data.layout_totalsegmentator import V2_STRUCTURES

Colour = tuple[int, int, int]
# More than there are names in the vocabulary.
PALETTE_SIZE = 2048
# Lightness of colours that show on black and on white, and how far from grey they are.
LIGHTNESS, LEAST_CHROMA = (30.0, 92.0), 18.0
# sRGB (linear) to CIE XYZ, relative to white (D65).
_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def structure_colours(named: Sequence[tuple[str, str]]) -> dict[str, Colour]:
    """Return a colour for each pair of name and prompt, by name; no two are the same.

    A structure that the vocabulary knows has its own, whatever else there is. Other prompts take theirs by their words,
    or the next one that no other of these has.
    """
    vocabulary = load_vocabulary()
    known = {name: vocabulary.resolve(prompt) or vocabulary.resolve(name) for name, prompt in named}
    places: dict[str, int] = {}
    for name, structure in known.items():
        if structure is not None and _places()[structure] not in places.values():
            places[name] = _places()[structure]
    for name, prompt in named:
        if name not in places:
            # Two prompts may mean one structure: the second has the colour of its words.
            places[name] = _free_place(prompt, set(places.values()))
    return {name: palette()[places[name] % PALETTE_SIZE] for name, _ in named}


@lru_cache(maxsize=1)
def palette() -> tuple[Colour, ...]:
    """Return the palette: colours as red, green and blue from 0 to 255, each far from those before it."""
    steps = np.arange(3, 256, 14)
    rgb = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    lab = to_lab(rgb)
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    fit = (lab[:, 0] >= LIGHTNESS[0]) & (lab[:, 0] <= LIGHTNESS[1]) & (chroma >= LEAST_CHROMA)
    # Whole tenths: the order must not hang on the last bit of a root.
    rgb, points = rgb[fit], np.rint(lab[fit] * 10).astype(np.int32)
    chosen = [int(chroma[fit].argmax())]
    distance = np.full(len(points), np.iinfo(np.int32).max, np.int32)
    while len(chosen) < PALETTE_SIZE:
        distance = np.minimum(distance, ((points - points[chosen[-1]]) ** 2).sum(axis=1))
        chosen.append(int(distance.argmax()))
    return tuple((int(red), int(green), int(blue)) for red, green, blue in rgb[chosen])


def to_lab(rgb: np.ndarray) -> np.ndarray:
    """Return CIELAB (N, 3), relative to D65, of colours (N, 3) from 0 to 255."""
    share = np.asarray(rgb) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _TO_XYZ.sum(axis=1)
    root = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def to_rgb(lab: np.ndarray) -> np.ndarray:
    """Return the colours (N, 3), whole numbers from 0 to 255, nearest to CIELAB values (N, 3) relative to D65."""
    y = (lab[:, 0] + 16) / 116
    root = np.stack([y + lab[:, 1] / 500, y, y - lab[:, 2] / 200], axis=1)
    xyz = np.where(root > 6 / 29, root**3, 3 * (6 / 29) ** 2 * (root - 4 / 29)) * _TO_XYZ.sum(axis=1)
    linear = np.clip(xyz @ np.linalg.inv(_TO_XYZ).T, 0, 1)
    share = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    rgb: np.ndarray = np.rint(share * 255).astype(np.int64)
    return rgb


@lru_cache(maxsize=1)
def _places() -> dict[str, int]:
    """Return the place in the palette of each structure of the vocabulary."""
    vocabulary = load_vocabulary()
    first: Iterable[str | None] = (vocabulary.resolve(label) for label in V2_STRUCTURES)
    places = {name: place for place, name in enumerate(dict.fromkeys(name for name in first if name))}
    taken = set(places.values())
    for name in vocabulary.organs:
        if name not in places:
            places[name] = _free_place(name, taken)
            taken.add(places[name])
    return places


def _free_place(words: str, taken: set[int]) -> int:
    """Return the place for these words, behind TotalSegmentator's structures, or the next one that is not taken.

    Where all are taken, colours come again.
    """
    first = len(V2_STRUCTURES)
    span = PALETTE_SIZE - first
    start = int.from_bytes(hashlib.sha256(words.casefold().encode()).digest()[:8], "big") % span
    places = (first + (start + step) % span for step in range(span))
    return next((place for place in places if place not in taken), first + start)
