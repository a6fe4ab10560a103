"""The organ of a draft: groups and phrases are narrowed to the one organ that the words name."""

import pytest

from curation.caption import Draft
from curation.llm.draft_organs import narrow_to_caption, resolve_organ_name
from curation.verification.verifier import Verifier


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier()


@pytest.mark.parametrize(
    ("organ", "caption", "expected"),
    [
        ("lungs", "A nodule in the left lower lobe.", "left lower lobe"),
        ("lungs", "A nodule in the left lung base.", "left lung"),
        ("lungs", "Nodules in both lungs.", "lungs"),
        ("kidneys", "Cyst in the left kidney.", "left kidney"),
        ("kidneys", "Cysts in the left kidney and the liver.", "kidneys"),
        ("kidneys", "The liver is normal.", "kidneys"),
        ("liver", "The liver is normal.", "liver"),
        ("tissue of sorts", "The liver is normal.", "tissue of sorts"),
    ],
)
def test_a_caption_is_filed_under_the_one_organ_it_names(
    organ: str, caption: str, expected: str, verifier: Verifier
) -> None:
    assert narrow_to_caption(verifier, Draft(organ, caption, 3)) == Draft(expected, caption, 3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bilateral adrenal glands", "adrenal glands"),
        ("pleural effusion", "pleura"),
        ("size of the liver", "liver"),
        ("Liver", "Liver"),
        ("flux capacitor", "flux capacitor"),
        ("liver and spleen", "liver and spleen"),
    ],
)
def test_more_than_a_name_is_the_organ_in_it(name: str, expected: str, verifier: Verifier) -> None:
    assert resolve_organ_name(verifier, Draft(name, "It is normal.")) == Draft(expected, "It is normal.")
