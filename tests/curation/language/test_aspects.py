"""What "normal" is said of: an organ as such, or which of its aspects."""

from __future__ import annotations

import pytest

from curation.language.aspects import NORMAL, normal_aspects
from curation.language.parser import StatementParser

PARSER = StatementParser()


def aspects(statement: str, segment: int | None = None) -> set[str]:
    parse = PARSER.parse(statement)
    (normality,) = (term for term in parse.terms if term.key == NORMAL)
    return set(normal_aspects(normality, None if segment is None else parse.segments[segment], parse))


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("The spleen is normal.", set()),
        ("Normal spleen.", set()),
        ("Unremarkable appearance of the spleen.", set()),
        ("Normal liver with smooth contours.", set()),
        ("Normal liver without enlargement.", set()),
        ("The spleen is normal in size.", {"size"}),
        ("Normal-sized spleen.", {"size"}),
        ("The volume of the spleen is within normal limits.", {"size"}),
        ("Splenic dimensions and contours are natural.", {"size", "contour"}),
        ("The spleen is normal in size, shape and attenuation.", {"size", "shape", "density"}),
        ("The spleen is normal in size and homogeneous.", {"size"}),
        ("Normal splenic contour.", {"contour"}),
        ("The widths of the iliac arteries are normal.", {"caliber"}),
        ("Spleen size is not normal.", {"size"}),
        ("The gallbladder wall thickness is normal.", {"thickness"}),
        ("The wall of the gallbladder is normal.", {"wall"}),
        ("The gallbladder has normal distension.", {"distension"}),
        ("A cyst beside the normal spleen.", set()),
        ("The diameter of the aorta is 30 mm and is normal.", {"caliber"}),
        ("The aorta measures 30 mm and is normal.", set()),
        ("Liver size is increased and the spleen is normal.", set()),
    ],
)
def test_what_is_called_normal(statement: str, expected: set[str]) -> None:
    assert aspects(statement) == expected


def test_a_shared_predicate_is_about_the_aspects_of_its_own_segment() -> None:
    statement = "Liver size, contour and parenchymal density are natural."
    assert aspects(statement, 0) == {"size", "contour"}
    assert aspects(statement, 1) == {"density"}
    assert aspects(statement) == {"density"}
