"""Lists that leave their noun to the last member: each member gets it, and none gets what is not its own."""

from __future__ import annotations

import pytest

from curation.language.parser import StatementParser
from curation.language.structure.shared_tails import completed_text, ends_without_noun

PARSER = StatementParser()


@pytest.mark.parametrize(
    ("text", "completed"),
    [
        # adjectives of organs
        ("No renal or vesical calculus.", "No renal calculus or vesical calculus."),
        ("Small splenic and hepatic cysts.", "Small splenic cysts and hepatic cysts."),
        ("Gastric and jejunal walls are thick.", "Gastric walls and jejunal walls are thick."),
        # names of organs that share their noun, in the number of each
        ("Nodules in the right middle and left lower lobes.", "Nodules in the right middle lobe and left lower lobe."),
        ("The splenic and portal veins are patent.", "The splenic vein and portal vein are patent."),
        ("Fracture of the right 3rd and 4th ribs.", "Fracture of the right 3rd rib and right 4th rib."),
        ("Fractures of the left second and third ribs.", "Fractures of the left second rib and left third rib."),
        # sides
        ("A 4 mm left and a 9 mm right renal cyst.", "A 4 mm left renal cyst and a 9 mm right renal cyst."),
        ("Severe left and mild right hydroureter.", "Severe left hydroureter and mild right hydroureter."),
        ("Mild right, severe left hip arthrosis.", "Mild right hip arthrosis, severe left hip arthrosis."),
        # levels of the spine
        (
            "Spurs narrow the left C5-6 and right C6-7 foramina.",
            "Spurs narrow the left C5-6 foramina and right C6-7 foramina.",
        ),
        # "artery", behind a side of its own
        (
            "Right femoral and bilateral iliac artery plaques.",
            "Right femoral artery plaques and bilateral iliac artery plaques.",
        ),
        # stations of lymph nodes
        (
            "Bulky mediastinal and left hilar lymph nodes.",
            "Bulky mediastinal lymph nodes and left hilar lymph nodes.",
        ),
        # what narrows a denial narrows it for each
        ("No focal splenic or hepatic lesion.", "No focal splenic lesion or focal hepatic lesion."),
    ],
)
def test_each_member_has_the_noun(text: str, completed: str) -> None:
    assert completed_text(PARSER.parse(text)) == completed


@pytest.mark.parametrize(
    "text",
    [
        "The liver and the spleen are normal.",
        "A cyst in the left and a stone in the right kidney.",
        "The mass is hepatic and the splenic vein is patent.",
        "Effusion: small left, moderate right basal atelectasis.",
        "A small effusion on the left, moderate right basal atelectasis.",
        "Enlarged heart and aortic calcification.",
        "Normal liver and spleen cyst.",
        "The right and left kidneys measure 10 and 8 cm, respectively.",
    ],
)
def test_nothing_is_completed(text: str) -> None:
    assert completed_text(PARSER.parse(text)) is None


@pytest.mark.parametrize(
    ("caption", "lacks_noun"),
    [
        ("Prominent mediastinal", True),
        ("A 3 mm right", True),
        ("Diverticulosis of the gastric", True),
        ("Nodule on the right", False),
        ("The mass is hepatic", False),
        ("Severe renal atrophy", False),
    ],
)
def test_a_cut_wording_may_not_end_before_its_noun(caption: str, lacks_noun: bool) -> None:
    assert ends_without_noun(PARSER.parse(caption)) is lacks_noun
