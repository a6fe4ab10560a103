"""Which classes of a network show an organ, by the vocabulary."""

import pytest

from prompts.vocabulary import load_vocabulary
from train.alignment.organ_views import WHOLE, OrganViews, organ_mask
from train.data.caption_sources import OrganCaption

LABELS = (
    "background", "liver", "kidney_left", "kidney_right", "lung_upper_lobe_left", "lung_lower_lobe_right", "heart",
    "aorta", "vertebrae_L1", "vertebrae_L3",
)  # fmt: skip


@pytest.mark.parametrize(
    ("organ", "classes"),
    [
        ("liver", {"liver"}),
        ("Hepatic", {"liver"}),
        ("kidneys", {"kidney_left", "kidney_right"}),
        ("left kidney", {"kidney_left"}),
        ("left lung", {"lung_upper_lobe_left"}),
        ("lumbar spine", {"vertebrae_L1", "vertebrae_L3"}),
        ("abdominal aorta", {"aorta"}),  # a part of a class
        ("pericardium", {"heart"}),
        ("right pleura", {"lung_lower_lobe_right"}),  # lies around the lungs, of its side
        ("pleura", {"lung_upper_lobe_left", "lung_lower_lobe_right"}),
        ("perihepatic space", {"liver"}),
    ],
)
def test_an_organ_has_its_classes_else_those_around_it(organ: str, classes: set[str]) -> None:
    mask = organ_mask(organ, LABELS, load_vocabulary())
    assert mask is not None and {name for name, shown in zip(LABELS, mask, strict=True) if shown} == classes


@pytest.mark.parametrize("organ", ["lymph nodes", "spleen", "", "nonsense", "gallbladder"])
def test_what_no_class_shows_has_the_whole(organ: str) -> None:
    assert organ_mask(organ, LABELS, load_vocabulary()) is None
    assert OrganViews([organ, "liver"], LABELS, load_vocabulary()).number(organ) == WHOLE


def test_organs_of_the_same_classes_share_a_view() -> None:
    views = OrganViews(["kidneys", "liver", "lymph nodes", "left kidney"], LABELS, load_vocabulary())
    again = OrganViews(["aorta", "abdominal aorta"], LABELS, load_vocabulary())
    assert len(views) == 4 and not views.masks[WHOLE].any()
    assert len(again) == 2 and again.number("aorta") == again.number("abdominal aorta") == 1
    assert again.number("never seen") == WHOLE


def test_a_part_is_unremarkable_unless_something_else_is_said_of_its_classes() -> None:
    views = OrganViews(["kidneys", "left kidney", "right kidney", "lymph nodes"], LABELS, load_vocabulary())

    def of(*said: tuple[str, str]) -> dict[str, bool]:
        flags = views.unremarkable([OrganCaption(organ, "text", status) for organ, status in said])
        assert len(flags) == len(views) and not flags[WHOLE]
        return {organ: flags[views.number(organ)] for organ in ("kidneys", "left kidney", "right kidney")}

    assert of(("kidneys", "normal"), ("lymph nodes", "abnormal")) == dict.fromkeys(
        ("kidneys", "left kidney", "right kidney"), True
    )
    assert of(("left kidney", "abnormal")) == {"kidneys": False, "left kidney": False, "right kidney": True}
    assert of(("kidneys", "uncertain"), ("left kidney", "normal")) == dict.fromkeys(
        ("kidneys", "left kidney", "right kidney"), False
    )
