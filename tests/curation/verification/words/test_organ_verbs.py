"""Verbs between a finding and its organ."""

from __future__ import annotations

import pytest

from ..caption_cases import verifier

CARRIED = [
    ("Consolidation in the left lower lobe.", "left lung", "Consolidation involving the left lower lobe."),
    ("Infiltration in both lungs.", "lungs", "Infiltration affecting both lungs."),
    ("Metastases in the liver.", "liver", "The liver contains metastases."),
    ("Two cysts in the spleen.", "spleen", "The spleen harbors two cysts."),
]

REFUSED = [
    # beside the organ
    ("Mass near the aorta.", "aorta", "Mass involving the aorta."),
    ("Mass adjacent to the liver.", "liver", "The liver contains a mass."),
    ("Mass abutting the left kidney.", "left kidney", "Mass affecting the left kidney."),
    ("Mass compressing the trachea.", "trachea", "Mass involving the trachea."),
    ("Tumor contacts the portal vein over 90 degrees.", "portal vein", "Tumor involving the portal vein."),
    ("Mass effect on the duodenum.", "duodenum", "Mass involving the duodenum."),
    ("Compression of the left ureter by a mass.", "left ureter", "The left ureter contains a mass."),
    # another organ, or a finding that holds another
    ("Mass in the head of the pancreas.", "pancreas", "Mass in the head of the pancreas involving the duodenum."),
    ("Cyst and stone in the right kidney.", "right kidney", "Cyst containing a stone in the right kidney."),
    # denied or in doubt
    ("No mass in the liver.", "liver", "The liver contains a mass."),
    ("Possible mass in the liver.", "liver", "The liver contains a mass."),
    # they give a cause or an origin
    ("Stone and hydronephrosis in the left kidney.", "left kidney", "Stone causing hydronephrosis in the left kidney."),
    ("Mass in the stomach.", "stomach", "Mass arising from the stomach."),
]


@pytest.mark.parametrize(("statement", "organ", "caption"), CARRIED)
def test_they_say_no_more_than_where_it_is(statement: str, organ: str, caption: str) -> None:
    verification = verifier().verify(verifier().read(statement), organ, caption)
    assert verification.accepted, verification.detail


@pytest.mark.parametrize(("statement", "organ", "caption"), REFUSED)
def test_what_the_statement_does_not_place_there_is_refused(statement: str, organ: str, caption: str) -> None:
    assert not verifier().verify(verifier().read(statement), organ, caption).accepted
