"""Prompts -> classes, for the labels of published STU-Net weights and for those of TotalSegmentator v2."""

import pytest

from models.architecture import PUBLISHED_LABELS
from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.inference.engines.class_names import ClassNames, union_notice
from train.inference.errors import SegmentError
from train.inference.prompts import SegmentPrompt

THORACOLUMBAR = tuple(name for name in PUBLISHED_LABELS if name.startswith(("vertebrae_T", "vertebrae_L")))
V1 = ClassNames(PUBLISHED_LABELS[1:], "this checkpoint")
V2 = ClassNames(V2_STRUCTURES, "TotalSegmentator")


@pytest.mark.parametrize(
    ("classes", "text", "labels"),
    [
        (V1, "spleen", {"spleen"}),
        (V1, "Aorta", {"aorta"}),
        (V1, "hip_left", {"hip_left"}),
        (V1, "pulmonary artery", {"pulmonary_artery"}),
        (V1, "kidneys", {"kidney_left", "kidney_right"}),
        (V1, "right lung", {"lung_upper_lobe_right", "lung_middle_lobe_right", "lung_lower_lobe_right"}),
        (V1, "lumbar spine", {f"vertebrae_L{number}" for number in range(1, 6)}),
        (
            V1,
            "heart",
            {
                "heart_myocardium", "heart_atrium_left", "heart_atrium_right", "heart_ventricle_left",
                "heart_ventricle_right",
            },
        ),
        (V2, "heart", {"heart"}),
        # Cysts lie in a kidney and are no part of it, unless they are asked for.
        (V2, "kidneys", {"kidney_left", "kidney_right"}),
        (V2, "right and left kidney", {"kidney_left", "kidney_right"}),
        (V2, "kidney_left.nii.gz", {"kidney_left"}),
        (V2, "kidney cysts", {"kidney_cyst_left", "kidney_cyst_right"}),
        (V1, "thoracolumbar spine", set(THORACOLUMBAR)),
        (V2, "liver and both kidneys", {"liver", "kidney_left", "kidney_right"}),
        (V2, "upper and lower lobes of the left lung", {"lung_upper_lobe_left", "lung_lower_lobe_left"}),
    ],
)  # fmt: skip
def test_a_prompt_means_its_class_or_those_of_its_parts(classes: ClassNames, text: str, labels: set[str]) -> None:
    assert set(classes.find(text).labels) == labels


def test_bones_hold_no_nerves() -> None:
    for text in ("spine", "skeleton"):
        assert "spinal_cord" not in V2.find(text).labels and "vertebrae_L1" in V2.find(text).labels


@pytest.mark.parametrize(
    ("classes", "text", "told"),
    [
        (V1, "banana", "'banana' is unknown$"),
        (V1, "livr", "'livr' is unknown; near: liver"),
        (V1, "liver or spleen", "'liver or spleen' is unknown; it holds the names liver, spleen"),
        (V2, "kidneys and ureters", "of 'kidneys and ureters': TotalSegmentator has no class for 'ureters'$"),
        (V2, "spleen and pancreatic head", "of 'spleen and .*no class for 'pancreatic head': it is part of pancreas"),
        (V2, "kidneys and bananas", "beside the name 'kidneys', 'bananas' is not understood"),
        (V2, "left pancreas", "'left pancreas' is unknown: pancreas has no left and right; near: pancreas"),
        (V2, "left left lung", "name one or both: left lung, right lung, lungs"),
        (V2, "right 14th rib", "of ribs there is none with the number 14th; near: right "),
        (V2, "vertebra L8", "of vertebrae there is none with the number L8; near: "),
        (V2, "splenic cortex and big spleen", "spleen', 'splenic', 'cortex', 'big' are not understood"),
        (V2, "spleen.txt", "beside the name 'spleen', '.txt' is not understood"),
        (V2, "renal cortex", r"\(renal cortices\): it is part of kidneys: ask for kidneys, right kidney, left kidney"),
        (V1, "banana " * 100, r"'[ban ]{60}'… is unknown$"),
        (V1, "thyroid", r"this checkpoint has no class for 'thyroid' \(thyroid gland\)"),
        (V1, "pancreatic head", "'pancreatic head': it is part of pancreas, which has one"),
        (V1, "fundus of the gallbladder", "it is a part of gallbladder"),
        (V1, "abdomen", "'abdomen' is a region, and no structure; in it, this checkpoint has classes for"),
        (V1, "mediastinum", "is a region"),
        (V1, "venae cavae", "classes for inferior vena cava, and none for superior vena cava"),
        (V2, "left atrium", "part of heart, which has one; in it, TotalSegmentator has classes for left atrial append"),
        (V2, "face", "TotalSegmentator has no class for 'face'"),
    ],
)
def test_what_has_no_class_is_refused_with_what_there_is(classes: ClassNames, text: str, told: str) -> None:
    with pytest.raises(SegmentError, match=told):
        classes.find(text)


def test_a_group_without_a_member_is_given_and_the_missing_are_named() -> None:
    prompt = SegmentPrompt("vertebrae", "vertebrae")
    notice = union_notice(prompt, V1.find(prompt.text), V1.source)
    assert notice is not None and "no class for S1 vertebra, so its mask is not all of it" in notice
    more = union_notice(SegmentPrompt("u", "urinary system"), V1.find("urinary system"), V1.source)
    assert more is not None and "it is more than these" in more
    both = union_notice(SegmentPrompt("b", "liver and spleen"), V1.find("liver and spleen"), V1.source)
    assert both == "'liver and spleen' was taken as liver + spleen, as the anatomy vocabulary has it"
    whole = union_notice(SegmentPrompt("k", "kidneys"), V1.find("kidneys"), V1.source)
    assert whole is not None and whole.endswith("as the anatomy vocabulary has it")
    assert union_notice(SegmentPrompt("l", "Liver"), V1.find("Liver"), V1.source) is None


def test_one_side_alone_is_no_pair() -> None:
    with pytest.raises(SegmentError, match="classes for left kidney, and none for right kidney"):
        ClassNames(("kidney_left", "liver"), "this checkpoint").find("kidneys")


def test_labels_that_the_vocabulary_does_not_have_are_found_by_their_words() -> None:
    classes = ClassNames(("liver", "my_own_thing"), "this checkpoint")
    assert classes.find("my own thing").labels == classes.find("My_Own_Thing").labels == ("my_own_thing",)


def test_a_class_that_is_called_by_names_side_by_side_is_that_class() -> None:
    classes = ClassNames(("liver", "spleen", "liver_and_spleen"), "this checkpoint")
    assert classes.find("liver and spleen").labels == ("liver_and_spleen",)


def test_groups_are_listed_with_their_members() -> None:
    groups = dict(V1.unions())
    assert groups["left lung"].names == ("left lower lobe", "left upper lobe")
    assert not {"abdomen", "mediastinum", "liver"} & groups.keys()
    assert "left renal parenchyma" in V1.synonyms("left kidney")
    assert not any("fundus" in name for name in V1.synonyms("gallbladder"))
