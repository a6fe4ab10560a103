"""Words with several senses: which organ they name beside which neighbours, and when none."""

from __future__ import annotations

import pytest

from curation.language.parser import StatementParser


@pytest.fixture(scope="module")
def parser() -> StatementParser:
    return StatementParser()


def organs(parser: StatementParser, text: str) -> list[str]:
    return [name for term in parser.parse(text).terms if term.mention for name in term.mention.names]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param("The hernia neck measures 9 mm.", [], id="part of a finding before it"),
        pytest.param("A wide neck of the large pseudoaneurysm.", [], id="part of a finding behind it"),
        pytest.param("The neck of the pouch is wide.", [], id="part of what nobody knows"),
        pytest.param("Swelling of the neck.", ["neck"], id="the neck itself"),
        pytest.param("Enlarged neck nodes.", ["left cervical lymph nodes", "right cervical lymph nodes"], id="nodes"),
        pytest.param("Nodule at the prostate apex.", ["prostate"], id="apex of another organ"),
        pytest.param("Nodule in the apex.", ["lung apices"], id="apex without an owner"),
        pytest.param("Fibrosis in the apex of the left lung.", ["left lung apex"], id="apex of its own organ"),
        pytest.param("Isthmus of the uterus is thin.", ["uterus"], id="isthmus of another organ"),
        pytest.param("Nodule in the isthmus.", ["thyroid isthmus"], id="isthmus without an owner"),
        pytest.param("Posterior horn of the medial meniscus is torn.", [], id="horn of a meniscus"),
        pytest.param("Dilated posterior horn.", ["lateral ventricles"], id="horn of a ventricle"),
        pytest.param("Ventral hernia with a 3 cm neck.", [], id="part that a finding has"),
        pytest.param(
            "Gallbladder with a stone in the neck.", ["gallbladder", "gallbladder"], id="part of the organ named"
        ),
        pytest.param("Cyst in the pancreas and a mass in the neck.", ["pancreas", "neck"], id="another organ"),
        pytest.param("Fissure for the ligamentum venosum.", ["falciform ligament"], id="fissure for a ligament"),
        pytest.param("Mouth of the diverticulum is open.", [], id="mouth of a finding"),
    ],
)
def test_parts_of_anything(parser: StatementParser, text: str, names: list[str]) -> None:
    assert organs(parser, text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Vascular dementia.", []),
        ("Vascular encephalopathy of the white matter.", ["white matter"]),
        ("Vascular calcifications.", ["vessels"]),
        ("Arterial atheroma.", ["arteries"]),
        ("Venous thrombosis.", ["veins"]),
    ],
)
def test_causes(parser: StatementParser, text: str, names: list[str]) -> None:
    assert organs(parser, text) == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Cervical lordosis is lost.", ["cervical spine"]),
        ("Cervical carcinoma.", ["uterine cervix"]),
        ("Cervical mass that reaches the uterus.", ["uterine cervix", "uterus"]),
        ("Cervical abscess.", ["neck"]),
        ("Lordosis is normal; cervical abscess.", ["neck"]),
        ("Parietal thickening of the ileum.", ["ileum"]),
        ("Parietal hemorrhage.", ["parietal lobes"]),
        ("Temporal evolution of the bleed.", []),
        ("Thickened right temporal artery.", ["right temporal artery"]),
        ("Wide fissures and sulci.", ["cerebral sulci", "cerebral sulci"]),
        ("Fluid in the fissure.", ["interlobar fissures"]),
        ("Left parietal scalp hematoma.", ["scalp"]),
        ("Calcified papillary muscle.", ["papillary muscles"]),
        ("Superior sulcus tumor.", ["lung apices"]),
    ],
)
def test_neighbours_decide(parser: StatementParser, text: str, names: list[str]) -> None:
    assert organs(parser, text) == names


@pytest.mark.parametrize(
    ("text", "is_place"),
    [
        ("Adjacent jejunal loops are wide.", False),
        ("The surrounding liver is normal.", False),
        ("Mass with invasion of adjacent jejunum.", True),
        ("Fluid surrounding the right kidney and the liver.", False),  # it names the spaces around them
        ("Mass surrounding the aorta.", True),
    ],
)
def test_an_adjective_of_place_before_the_subject(parser: StatementParser, text: str, is_place: bool) -> None:
    mentions = [term.mention for term in parser.parse(text).terms if term.mention]
    assert mentions[0].place == is_place


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Sinuses: mucosal thickening L maxillary.", {"paranasal sinuses", "left maxillary sinus"}),
        ("Sinuses: polyp, right maxillary.", {"paranasal sinuses", "right maxillary sinus"}),
        ("Fracture of the L maxillary bone.", {"left maxilla"}),
        ("Axillary nodes with a preserved fatty hilum.", {"left axillary lymph nodes", "right axillary lymph nodes"}),
        ("Mass in the left hilum.", {"left hilum"}),
        ("Protrusion contacting the traversing S1 root.", {"sacral nerve roots"}),
        ("Fracture of S1.", {"S1 vertebra"}),
        ("Medial plateau: depressed.", {"tibiae"}),
        ("L4-L5: the canal is narrow.", {"L4-L5 disc", "spinal canal"}),
        ("The canal is narrow.", set()),
        ("Fluid in the inguinal canal at the level of L5.", {"inguinal canals", "L5 vertebra"}),
    ],
)
def test_names_beside_their_whole(parser: StatementParser, text: str, names: set[str]) -> None:
    assert set(organs(parser, text)) == names
