"""The organ that a caption is filed under: the one that its evidence is about."""

from __future__ import annotations

import pytest

from curation.caption import Reason
from curation.verification.verifier import Verifier

from .caption_cases import FOREIGN, assert_refused, cases, verify

UNFAITHFUL = [
    # a verbatim statement under the organ of another
    ("The spleen is normal. Cyst in the liver.", "spleen", "Cyst in the liver.", FOREIGN),
    ("The spleen is normal. Cyst in the liver.", "left kidney", "Cyst in the liver.", FOREIGN),
    ("Cyst in the left kidney.", "right kidney", "Cyst in the left kidney.", (Reason.LATERALITY,)),
    ("No mass in the liver. Hemangioma in the spleen.", "liver", "Hemangioma in the liver.", FOREIGN),
]

REFUSED = cases("unfaithful", UNFAITHFUL, {})


@pytest.mark.parametrize(("report", "organ", "caption", "reasons"), REFUSED)
def test_what_it_does_not_say_is_refused(report: str, organ: str, caption: str, reasons: tuple[Reason, ...]) -> None:
    assert_refused(report, organ, caption, reasons)


@pytest.mark.parametrize(
    ("organ", "caption", "accepted"),
    [
        ("mediastinum", "normal", False),
        ("trachea", "normal", True),
        ("mediastinum", "Trachea is normal", True),
        ("lungs", "No nodule", False),
        ("lungs", "No nodule in the right upper lobe", True),
        ("right upper lobe", "No nodule", True),
        ("lungs", "A cyst", True),
        ("left lower lobe", "A cyst", True),
        ("left kidney", "No stone", True),
    ],
)
def test_what_is_normal_in_a_part_is_not_so_in_the_whole(organ: str, caption: str, accepted: bool) -> None:
    sentences = ("The trachea is normal.", "No nodule in the right upper lobe.", "A cyst in the left lower lobe.")
    text = " ".join([*sentences, "No stone in the kidneys."])
    assert verify(text, organ, caption).accepted is accepted


@pytest.mark.parametrize(
    ("text", "organ", "caption", "accepted"),
    [
        ("Trachea and both main bronchi are open.", "main bronchi", "open", True),
        ("The liver is normal, the spleen is normal.", "spleen", "normal", True),
        ("The liver is normal, the spleen is enlarged.", "spleen", "normal", False),
        (
            "In the lower lobe of the right lung, opacities are seen.",
            "right lung",
            "opacities in the lower lobe",
            True,
        ),
        (
            "In the lower lobe of the right lung, opacities are seen.",
            "left lung",
            "opacities in the lower lobe",
            False,
        ),
    ],
)
def test_a_caption_without_its_organ_is_read_as_one_about_it(
    text: str, organ: str, caption: str, accepted: bool
) -> None:
    assert verify(text, organ, caption).accepted is accepted


@pytest.mark.parametrize(
    ("organ", "report", "caption", "accepted"),
    [
        ("liver", "Small amount of perihepatic fluid.", "Small perihepatic fluid", True),
        ("spleen", "Small amount of perihepatic fluid.", "Small perihepatic fluid", False),
        ("liver", "Small amount of perihepatic fluid.", "Small fluid in the liver", False),
        ("liver", "Small amount of perihepatic fluid.", "Small amount of fluid", False),
        ("right kidney", "Right hydroureter, right perirenal stranding.", "Right perirenal stranding", True),
        ("left kidney", "Right hydroureter, right perirenal stranding.", "Right perirenal stranding", False),
        ("brain", "No extra-axial hematoma.", "No extra-axial hematoma", True),
        ("lungs", "Nodule at the left costophrenic sulcus.", "Nodule at the left costophrenic sulcus", True),
        ("right lung", "Nodule at the left costophrenic sulcus.", "Nodule at the left costophrenic sulcus", False),
        ("lungs", "Nodule at the left costophrenic sulcus.", "Left lung nodule", False),
    ],
)
def test_a_place_around_an_organ_is_filed_under_it_by_its_own_name(
    organ: str, report: str, caption: str, accepted: bool
) -> None:
    assert verify(report, organ, caption).accepted is accepted


@pytest.mark.parametrize(
    ("statement", "organ", "caption", "accepted"),
    [
        ("No adenopathy in the left axilla.", "lymph nodes", "No adenopathy", False),
        ("No adenopathy in the left axilla.", "lymph nodes", "No adenopathy in the left axilla", True),
        ("No adenopathy in the right and left axilla.", "lymph nodes", "No axillary adenopathy", True),
        ("No pneumothorax in the right hemithorax.", "pleura", "No pneumothorax", False),
        ("No pneumothorax in the right hemithorax.", "pleura", "No right pneumothorax", True),
        ("No bronchiectasis in the left lower lobe.", "bronchi", "No bronchiectasis", False),
        ("No focal lesion in the right lobe of the liver.", "liver", "No focal lesion", False),
        ("Left main artery: no plaque.", "coronary arteries", "The left main artery has no plaque", True),
        ("Adenopathy in the left axilla.", "lymph nodes", "Adenopathy", True),  # affirmed, a part shows it
    ],
)
def test_a_denial_of_one_side_is_none_of_both(statement: str, organ: str, caption: str, accepted: bool) -> None:
    verifier = Verifier()
    assert verifier.verify(verifier.read(statement), organ, caption).accepted == accepted


@pytest.mark.parametrize(
    ("statement", "organ", "caption", "accepted"),
    [
        ("Bronchiectasis in both lower lobes.", "bronchi", "Bronchiectasis in both lower lobes", True),
        (
            "Bronchial wall thickening in the right lung.",
            "bronchi",
            "Bronchial wall thickening in the right lung",
            True,
        ),
        ("Bronchiectasis in both lower lobes.", "lower lobes", "Bronchiectasis in both lower lobes", True),
        ("Consolidation in both lower lobes.", "bronchi", "Consolidation in both lower lobes", False),
        ("Bronchiectasis and consolidation in the lingula.", "bronchi", "Consolidation in the lingula", False),
    ],
)
def test_bronchial_findings_of_a_lobe_are_of_the_bronchi_too(
    statement: str, organ: str, caption: str, accepted: bool
) -> None:
    verifier = Verifier()
    assert verifier.verify(verifier.read(statement), organ, caption).accepted == accepted


@pytest.mark.parametrize(
    ("report", "organ", "caption", "accepted"),
    [
        (
            "A density next to the left adrenal gland.",
            "adrenal glands",
            "Density next to the left adrenal gland.",
            True,
        ),
        ("A nodule adjacent to the spleen.", "spleen", "Nodule adjacent to the spleen.", True),
        ("A nodule adjacent to the spleen.", "spleen", "A nodule.", False),
        ("A nodule adjacent to the spleen.", "spleen", "Splenic nodule.", False),
        ("A density next to the left adrenal gland.", "right adrenal gland", "Density next to the left gland.", False),
        ("A liver nodule adjacent to the gallbladder.", "gallbladder", "Nodule adjacent to the gallbladder.", False),
        ("Liver cyst next to the right kidney.", "right kidney", "Liver cyst next to the right kidney.", False),
        ("Brain: normal. A cyst next to the eye.", "brain", "A cyst next to the eye.", True),
    ],
)
def test_what_only_lies_beside_an_organ_may_be_filed_under_it(
    report: str, organ: str, caption: str, accepted: bool
) -> None:
    assert verify(report, organ, caption).accepted is accepted


@pytest.mark.parametrize("side", ["right", "left"])
def test_a_carcinoma_of_one_side_makes_no_statement_one_about_the_pair(side: str) -> None:
    text = "Right kidney: Mass, concerning for renal cell carcinoma. No stones."
    assert verify(text, f"{side} kidney", "No stones.").accepted is (side == "right")


@pytest.mark.parametrize(
    ("report", "organ", "caption", "accepted"),
    [
        ("Lungs: Small left effusion with lingular atelectasis.", "pleura", "Small left pleural effusion.", True),
        ("Chest: Moderate bilateral effusions.", "pleura", "Moderate bilateral pleural effusions.", True),
        ("LUNGS:\nTrace right effusion.", "pleura", "Trace right pleural effusion.", True),
        ("Lungs: No effusion.", "pleura", "No pleural effusion.", True),
        ("Lungs: Small left effusion.", "pleura", "Small right pleural effusion.", False),
        ("Lungs: Small left effusion.", "pericardium", "Small pericardial effusion.", False),
        ("Lungs: Possible small left effusion.", "pleura", "Small left pleural effusion.", False),
        ("Lungs: Small pericardial effusion.", "pleura", "Small pleural effusion.", False),
        ("Heart: Small effusion.", "pleura", "Small pleural effusion.", False),
        ("Abdomen: Small effusion.", "pleura", "Small pleural effusion.", False),
        ("Lungs are clear. Elbow effusion.", "pleura", "Pleural effusion.", False),
        ("Mastoids: Right effusion.", "pleura", "Right pleural effusion.", False),
    ],
)
def test_an_effusion_of_the_lungs_lies_in_the_pleura(report: str, organ: str, caption: str, accepted: bool) -> None:
    assert verify(report, organ, caption).accepted is accepted


@pytest.mark.parametrize(
    ("caption", "organ", "other"),
    [
        ("No soft tissue attenuating renal mass in the right kidney.", "right kidney", "left kidney"),
        ("No adrenal nodule in the left adrenal gland.", "left adrenal gland", "right adrenal gland"),
        ("Atelectasis in the left lung middle lobe medial segment.", "left lung", "right lung"),
    ],
)
def test_a_side_beside_a_name_without_one_tells_which_organ_it_is(caption: str, organ: str, other: str) -> None:
    assert verify(caption, organ, caption).accepted
    assert not verify(caption, other, caption).accepted
