"""Short forms with a slash or a full stop are written out, and nothing else is."""

import pytest

from curation.cleaning.clean_text import clean_text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Mass c/w metastasis w/o necrosis.", "Mass consistent with metastasis without necrosis."),
        ("Collection w/air.", "Collection with air."),
        ("S/p resection. B/l effusions.", "Status post resection. Bilateral effusions."),
        ("Cyst in the Rt. kidney, Lt. Ureter: normal.", "Cyst in the right kidney, left Ureter: normal."),
        ("Lt. Kidney: normal.", "Left Kidney: normal."),
        ("Splenic v.: patent, hepatic a., T.V. a.m.", "Splenic vein: patent, hepatic artery, T.V. a.m."),
        ("Bilat. cysts.", "Bilateral cysts."),
        ("RA:LA ratio of 2, RA: LA ratios. SMV : SMA ratio.", "RA/LA ratio of 2, RA: LA ratios. SMV/SMA ratio."),
        ("Ureters: R normal. L dilated", "Ureters: right normal. Left dilated"),
        ("L 3 nodules; R 5 mm stone.", "Left 3 nodules; right 5 mm stone."),
        (
            "T and L spine, 2 L of fluid, type L tear, R/L, L4 R>L.",
            "T and L spine, 2 L of fluid, type L tear, R/L, L4 R>L.",
        ),
        ("A nodule on the lt. The spleen is normal.", "A nodule on the lt. The spleen is normal."),
        ("T1/w and 3/4 and b/l/x and w/3.", "T1/w and 3/4 and b/l/x and with 3."),
        ("Heart/lungs: normal. And/or nodules.", "Heart/lungs: normal. And/or nodules."),
    ],
)
def test_short_forms_are_written_out(text: str, clean: str) -> None:
    assert clean_text(text).text == clean


def test_the_evidence_is_what_stood_there() -> None:
    text = "Cyst in the Rt. kidney w/o wall."
    clean = clean_text(text)
    start = clean.text.index("right kidney")
    assert text[slice(*clean.source_span(start, start + len("right kidney without")))] == "Rt. kidney w/o"
