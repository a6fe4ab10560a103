"""A change that is said of a whole list stays with each of its members."""

from __future__ import annotations

import pytest

from tests.curation.engines.test_caption_wording import of


@pytest.mark.parametrize(
    ("text", "organ", "word"),
    [
        # the change stands before the list …
        ("Clear regression of axillary, hilar and inguinal lymphadenopathy.", "axillary lymph nodes", "regression"),
        ("Clear regression of axillary, hilar and inguinal lymphadenopathy.", "inguinal lymph nodes", "regression"),
        ("Decrease in the size of the renal masses and the hepatic cyst.", "liver", "decrease"),
        # … behind it …
        ("The mass in the right lung, the liver lesion and the adrenal mass have grown.", "liver", "have grown"),
        # … or is said of each
        ("Axillary and inguinal adenopathy, both smaller.", "axillary lymph nodes", "both smaller"),
        ("Axillary and inguinal adenopathy, both smaller.", "inguinal lymph nodes", "both smaller"),
    ],
)
def test_a_change_stays_with_each_member(text: str, organ: str, word: str) -> None:
    captions = of(organ, text)
    assert captions
    assert all(word in caption.lower() for caption in captions)


@pytest.mark.parametrize(
    ("text", "organ", "caption"),
    [
        # a verb in the singular is said of the last alone
        ("Cyst in the liver and the splenic mass has grown.", "liver", "Cyst in the liver"),
        # a member with a word of its own
        ("Regression of inguinal lymphadenopathy and normal spleen size.", "spleen", "Normal spleen size"),
        ("Decrease of the cyst in the liver and stable mass of the spleen.", "spleen", "Stable mass of the spleen"),
        # one organ
        ("The liver cyst has grown, no ascites.", "peritoneum", "Peritoneum: no ascites"),
        ("Two cysts in the liver, both small.", "liver", "Two cysts in the liver, both small"),
    ],
)
def test_other_members_are_left_alone(text: str, organ: str, caption: str) -> None:
    assert caption in of(organ, text)
