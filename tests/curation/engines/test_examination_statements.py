"""What tells of the examination is no caption: what it did not show, how much it shows, what is advised."""

from __future__ import annotations

import pytest

from tests.curation.engines.test_caption_wording import captions


@pytest.mark.parametrize(
    "text",
    [
        # not shown
        "For lack of contrast, small lesions of the spleen could not be evaluated.",
        "Owing to motion, small renal stones might be missed.",
        "Given the streak artifact, wall thickening of the bladder is difficult to assess.",
        "The conus and cord cannot be assessed.",
        # how much is shown
        "The kidneys are only partially included in the sections.",
        # advised
        "Alternatively, repeat CT of the pancreas in spring could be obtained to see whether it grows.",
        "MRI of the liver would help to characterise the lesion.",
        "An ultrasound of the thyroid may be useful.",
        "Comparison with older scans of the lungs would be of use.",
    ],
)
def test_no_caption(text: str) -> None:
    assert captions(text) == []


@pytest.mark.parametrize(
    ("text", "caption"),
    [
        ("Cyst in the liver, and MRI could be repeated.", ("liver", "Cyst in the liver")),
        ("A nodule in the spleen is seen, which cannot be characterized.", ("spleen", "A nodule in the spleen is seen")),
        ("The pancreas may be enlarged.", ("pancreas", "The pancreas may be enlarged")),
        ("The liver was examined and is not enlarged.", ("liver", "The liver was examined and is not enlarged")),
        ("The partially imaged spleen is enlarged.", ("spleen", "The partially imaged spleen is enlarged")),
    ],
)
def test_a_finding_beside_it_is_kept(text: str, caption: tuple[str, str]) -> None:
    assert caption in captions(text)
