"""Words of one root."""

from __future__ import annotations

import pytest

from curation.language.lexicon.derivation import are_of_one_root
from curation.language.tokens import stem


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("necrotizing", "necrosis"), ("cyanotic", "cyanosis"), ("ankylosed", "ankylosis"), ("symmetry", "symmetric"),
        ("protrusion", "protruding"), ("extension", "extends"), ("dysplasia", "dysplastic"), ("ectopia", "ectopic"),
        ("lymphomatous", "lymphoma"), ("resorption", "resorbed"), ("osteolysis", "osteolytic"), ("atrophy", "atrophic"),
    ],
)  # fmt: skip
def test_what_is_derived_has_one_root(first: str, second: str) -> None:
    assert are_of_one_root(stem(first), stem(second)) or stem(first) == stem(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("hepatic", "hepatitis"), ("cystic", "cystitis"), ("cyst", "cystitis"), ("gastric", "gastritis"),
        ("arterial", "arteriolar"), ("fibrous", "fibrosis"), ("static", "stasis"), ("media", "medial"),
        ("ureter", "urethra"), ("ileal", "iliac"), ("ischemia", "ischium"), ("parotid", "parous"),
        ("thrombus", "thrombosis"), ("hernia", "hernial"), ("intense", "intended"), ("callus", "callosal"),
    ],
)  # fmt: skip
def test_other_words_that_begin_alike_have_not(first: str, second: str) -> None:
    assert not are_of_one_root(stem(first), stem(second))
