"""Words derived from one root: "necrotizing" and "necrosis", "symmetry" and "symmetric", "protrusion" and "protrude".

The stemmer joins the forms that end in "-ed", "-ing", "-ion", "-ive" and their like. What is joined here are endings in
which the root itself changes. A disease is never joined with its organ ("hepatitis", "hepatic"), since no ending in
"-itis" is cut, nor is an adjective with a noun of another meaning: "fibrous" tissue is no "fibrosis".
"""

from __future__ import annotations

from functools import lru_cache

_SHORTEST = 4
"""Letters that are left of a root at least: "media" and "medial" have none in common."""
# Endings of stems, each with that of the root, the longer ones first.
_ENDINGS = (
    ("plast", "plas"), ("plasia", "plas"),  # dysplastic, dysplasia
    ("rupt", "rupt"),  # as it stands: no "-pt" of absorption
    ("otiz", "os"), ("osi", "os"), ("ot", "os"), ("os", "os"),  # necrotizing, necrosis, necrotic, stenosing
    ("uous", "uos"),  # tortuous, tortuosity
    ("lyt", "lys"), ("lysi", "lys"),  # osteolytic, osteolysis
    ("asi", "as"), ("stat", "stas"),  # ectasis, metastatic
    ("orpt", "orb"),  # resorption, resorb
    ("ens", "end"),  # extension, extend
    ("rus", "rud"), ("clus", "clud"),  # protrusion, occlusion
    ("omat", "oma"),  # lymphomatous, lymphoma
    ("edemat", "edema"),
    ("ia", ""), ("i", ""),  # ischemia, symmetry
)  # fmt: skip
# Stems with the root of another word: "static" is unchanged, "stasis" is not.
_NO_DERIVATIVES = frozenset(
    ("static", "stasi", "parot", "carot", "thorac", "intens", "hydrant", "diagnosi", "prognosi")
)


@lru_cache(maxsize=16_000)
def root(stem: str) -> str:
    """Return what the stems of words of one root have in common: "necros" of "necrosi" and "necrot"."""
    if stem in _NO_DERIVATIVES or stem.endswith("itis") or not stem.isalpha():
        return stem
    for ending, of_root in _ENDINGS:
        if stem.endswith(ending) and len(stem) - len(ending) >= _SHORTEST - len(of_root) + (not of_root):
            return stem[: len(stem) - len(ending)] + of_root
    return stem


def are_of_one_root(first: str, second: str) -> bool:
    """Tell whether two stems belong to words that are derived from each other."""
    return first != second and root(first) == root(second)
