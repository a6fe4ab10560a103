"""Latin names of the vocabulary's organs, of our own compilation after Terminologia Anatomica (FIPAT).

Text encoders know little Latin, in which organs are named all over the world.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files

from prompts.vocabulary import Vocabulary
from prompts.yaml_file import load_mapping

# Forms of "left" and "right".
SIDED = {
    "{m}": ("sinister", "dexter"),
    "{f}": ("sinistra", "dextra"),
    "{n}": ("sinistrum", "dextrum"),
    "{pl}": ("sinistri", "dextri"),
    "{fpl}": ("sinistrae", "dextrae"),
}
ORDINALS = "prima secunda tertia quarta quinta sexta septima octava nona decima undecima duodecima".split()

# Regions of the spine, with their Latin name and number of vertebrae.
REGIONS = {"C": ("cervicalis", 7), "T": ("thoracica", 12), "L": ("lumbalis", 5)}


def latin_tables() -> dict[str, dict[str, str]]:
    """Return the names as they are written down: those of `organs`, and of `pairs` with a form for their side."""
    return load_mapping(files(__package__).joinpath("latin_names.yaml").read_bytes())


def latin_names(vocabulary: Vocabulary) -> Mapping[str, str]:
    """Return organ -> its Latin name, for each organ that has one here which is not a term of the vocabulary."""
    tables = latin_tables()
    names = tables["organs"] | dict(_vertebrae_and_ribs())
    for pair, latin in tables["pairs"].items():
        form = next(form for form in SIDED if form in latin)
        names |= {
            organ: latin.replace(form, side)
            for organ, side in zip(vocabulary.organs[pair].sides or (), SIDED[form], strict=True)
        }
    return {organ: latin for organ, latin in names.items() if vocabulary.names_of(latin) is None}


def _vertebrae_and_ribs() -> Iterator[tuple[str, str]]:
    for number, ordinal in enumerate(ORDINALS, 1):
        english = {1: "1st", 2: "2nd", 3: "3rd"}.get(number, f"{number}th")
        for side, latin_side in zip(("left", "right"), SIDED["{f}"], strict=True):
            yield f"{side} {english} rib", f"costa {ordinal} {latin_side}"
        for letter, (region, last) in REGIONS.items():
            if number <= last:
                yield f"{letter}{number} vertebra", f"vertebra {region} {ordinal}"
