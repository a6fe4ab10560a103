"""Which organs a statement names, on which side, and which of them are only a place on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.language.anatomy import OrganFinder
from curation.language.tokens import tokenize
from prompts.vocabulary import load_vocabulary

from .organ_cases import cases, named

SIDES = {
    "Cyst in the left kidney.": "left kidney",
    "Left renal cyst.": "left kidney",
    "Cyst in the kidney on the left.": "left kidney",
    "Left-sided pleural effusion.": "left pleura",
    "Pleural effusion on the right.": "right pleura",
    "Both kidneys are small.": "left kidney, right kidney",
    "Bilateral renal cysts.": "left kidney, right kidney",
    "The kidneys are small.": "left kidney, right kidney",
    "Right and left kidneys are small.": "left kidney, right kidney",
    "The left and right adrenal glands are normal.": "left adrenal gland, right adrenal gland",
    "Pleural effusion.": "pleura",
    "Bilateral pleural effusion.": "left pleura, right pleura",
    "Cyst in the right lobe of the thyroid.": "right thyroid lobe",
    "Stone in the right kidney and cyst in the left kidney.": "left kidney, right kidney",
    "The right kidney is normal, and the liver is large.": "right kidney, liver",
}
PARTS = {
    "Nodule in the upper lobe of the right lung.": "right upper lobe",
    "Nodule in the right upper lobe.": "right upper lobe",
    "RUL nodule.": "right upper lobe",
    "Atelectasis in both lower lobes.": "left lower lobe, right lower lobe",
    "Consolidation in the right upper and left lower lobes.": "right upper lobe, left lower lobe",
    "Consolidation in the right upper and lower lobes.": "right upper lobe, right lower lobe",
    "Nodule in the lower lobe of the left lung and the middle lobe.": "left lower lobe, right middle lobe",
    "Fracture of the L1 vertebra.": "L1 vertebra",
    "Fracture of the left 7th rib.": "left 7th rib",
    "Aneurysm of the abdominal aorta.": "abdominal aorta",
    "Dilated intrahepatic bile ducts.": "intrahepatic bile ducts",
}
PLACES = {
    "A nodule adjacent to the spleen.": "",
    "A cyst in the mesentery at the level of the kidneys.": "mesentery",
    "Nodule in the right lower lobe close to the diaphragm.": "right lower lobe",
    "A mass near the pancreas in the mesentery.": "mesentery",
    "Fluid beneath the liver.": "",
    "Aneurysm of the abdominal aorta below the renal arteries.": "abdominal aorta",
    "Stone in the left ureter at the L4 level.": "left ureter",
    "The mass in the pancreas extends to the duodenum.": "pancreas",
}
LISTS = {
    "The liver, spleen and pancreas are normal.": "liver, spleen, pancreas",
    "Neither the liver nor the spleen is large.": "liver, spleen",
    "Liver/spleen: normal.": "liver, spleen",
    "Pericardial or pleural effusion.": "pericardium, pleura",
    "No organ is named.": "",
    "": "",
}


@pytest.mark.parametrize(("sentence", "organs"), cases(SIDES | PARTS | PLACES | LISTS))
def test_organs_of_a_sentence(sentence: str, organs: set[str]) -> None:
    assert named(sentence) == organs


@pytest.mark.parametrize(
    ("sentence", "organ"),
    [
        ("Para-aortic fat stranding.", "aorta"),
        ("Peripancreatic fluid.", "pancreas"),
        ("Perirenal fat stranding.", "kidneys"),
        ("Pericardial effusion.", "heart"),
        ("Subhepatic collection.", "liver"),
        ("Retrocaval lymph node.", "inferior vena cava"),
        ("Paraspinal muscles are atrophic.", "spine"),
        ("Subdiaphragmatic air.", "diaphragm"),
        ("Intervertebral disc protrusion.", "vertebrae"),
    ],
)
def test_a_place_named_after_an_organ_is_not_the_organ(sentence: str, organ: str) -> None:
    assert organ not in named(sentence)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("group", ["kidneys", "lungs", "adrenal glands", "ovaries", "breasts", "ureters", "orbits"])
def test_a_side_before_a_paired_organ_gives_its_name(group: str, side: str) -> None:
    sides = load_vocabulary().sided(group)
    assert sides is not None
    name = sides[side == "right"]
    assert named(f"A cyst in the {name}.") == {name}


def mentions(text: str) -> list[tuple[int, int]]:
    tokens = tokenize(text)
    return [(mention.start, mention.end) for mention in OrganFinder(load_vocabulary()).find(text, tokens)]


WORDS = st.sampled_from(
    (
        "left right both upper lower lobe lobes of the in and or , - / lung lungs kidney kidneys liver lymph nodes "
        "node hilar "
        "hila mediastinal mediastinum lymphadenopathy adenopathy para aortic pre paratracheal level L4 L5 7th rib "
        "adjacent to "
        "near ( ) . the'liver liver'kidney"
    ).split()
)


@pytest.mark.parametrize("word", ["The'liver", "liver'spleen", "a’liver’s", "l'liver normal"])
def test_a_name_within_a_token_is_named_by_the_token(word: str) -> None:
    assert mentions(f"{word} is normal.") == [(0, 1)]


@given(st.lists(WORDS, max_size=20).map(" ".join) | st.text(max_size=50))
def test_mentions_of_any_text_lie_in_it_in_order(text: str) -> None:
    count, at = len(tokenize(text)), 0
    for start, end in mentions(text):
        assert at <= start < end <= count
        at = start
