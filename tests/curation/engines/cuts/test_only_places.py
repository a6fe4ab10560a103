"""Organs that are named for their place alone get no caption, others do."""

from __future__ import annotations

import pytest

from tests.curation.engines.test_caption_wording import of


@pytest.mark.parametrize(
    ("text", "place", "meant"),
    [
        # where a tube lies or ends
        ("Foley catheter in the bladder.", "urinary bladder", "urinary catheter"),
        ("Feeding tube with its tip in the duodenum.", "duodenum", "feeding tube"),
        ("Left subclavian port with tip in the right atrium.", "right atrium", "port catheter"),
        ("Right internal jugular line, tip in the mid SVC.", "superior vena cava", "central venous catheter"),
        # a level of what is in no disc
        ("Left L3-L4 transverse process fractures.", "L3-L4 disc", "transverse processes"),
        # adjectives that are parts of other names
        ("Bibasilar pleural effusions.", "left lung", "pleura"),
        ("Normal intervertebral neural foramina.", "intervertebral discs", "neural foramina"),
        # a region of another organ
        ("Laceration in the left frontal region of the scalp.", "left frontal lobe", "scalp"),
    ],
)
def test_a_mere_place_has_no_caption(text: str, place: str, meant: str) -> None:
    assert not of(place, text)
    assert of(meant, text)


@pytest.mark.parametrize(
    ("text", "organ"),
    [
        ("Thrombus around the tip of the catheter in the SVC.", "superior vena cava"),
        ("Foley catheter in the bladder, the wall of which is thickened.", "urinary bladder"),
        ("The bladder is collapsed around a Foley catheter.", "urinary bladder"),
        ("A drain lies in the abscess of the liver.", "liver"),
        ("Stent in the left ureter.", "left ureter"),
        ("Disc bulge at L3-L4.", "L3-L4 disc"),
        ("Bibasilar atelectasis.", "left lung"),
        ("Hematoma in the right frontal region.", "right frontal lobe"),
    ],
)
def test_what_is_said_of_an_organ_stays(text: str, organ: str) -> None:
    assert of(organ, text)
