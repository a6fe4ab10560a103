"""The words of a caption: the shortest that stand alone for one organ of a sentence, taken from the report."""

from __future__ import annotations

import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.engines.rules import RulesEngine
from curation.verification.verifier import Verifier


@cache
def engine() -> RulesEngine:
    return RulesEngine(Verifier())


@cache
def captions(text: str) -> list[tuple[str, str]]:
    return [(draft.organ, draft.caption) for draft in engine().drafts(engine().verifier.read(text))]


def of(organ: str, text: str) -> list[str]:
    return [caption for name, caption in captions(text) if name == organ]


@pytest.mark.parametrize(
    ("text", "organ", "caption"),
    [
        # what a list shares stands with each of its members, its size with the last
        (
            "Wall thickening of the cecum and appendix, maximum thickness 9 mm, over a length of 3 cm.",
            "appendix",
            "Wall thickening of the appendix, maximum thickness 9 mm, over a length of 3 cm",
        ),
        (
            "Stenosis of the left renal artery and of the right iliac artery, 8 mm, by plaques.",
            "right iliac artery",
            "Stenosis of the right iliac artery, 8 mm, by plaques",
        ),
        (
            "Effacement of the left cerebral sulci and of the left ambient cistern, suspicious for edema.",
            "basal cisterns",
            "Effacement of the left ambient cistern, suspicious for edema",
        ),
        # one organ, one claim: as the report has it
        ("The liver is enlarged.", "liver", "The liver is enlarged"),
        ("Cyst in the liver.", "liver", "Cyst in the liver"),
        ("No pleural effusion.", "pleura", "No pleural effusion"),
        ("Pericardial effusion was not observed.", "pericardium", "Pericardial effusion was not observed"),
        ("However, the liver is enlarged.", "liver", "The liver is enlarged"),
        (
            "On these images, there is a cyst in the liver and a stone in the gallbladder.",
            "liver",
            "There is a cyst in the liver",
        ),
        ("Cyst in the Rt. kidney w/o calcification.", "right kidney", "Cyst in the right kidney without calcification"),
        ("Right and left pleural effusions.", "right pleura", "Right pleural effusions"),
        ("The right and left lungs are clear.", "left lung", "The left lung is clear"),
        # a list with one predicate: the verb agrees
        ("Liver & Spleen Are Normal.", "liver", "Liver is Normal"),
        (
            "Intra And Extrahepatic Bile Ducts Are Dilated.",
            "intrahepatic bile ducts",
            "Intrahepatic bile ducts Are Dilated",
        ),
        ("Hepatic & portal venous systems are normal.", "liver vessels", "Hepatic & portal venous systems are normal"),
        ("The liver, spleen and pancreas are normal.", "liver", "The liver is normal"),
        ("The liver, spleen and pancreas are normal.", "spleen", "Spleen is normal"),
        ("The liver, spleen and pancreas are normal.", "pancreas", "Pancreas is normal"),
        ("Liver and spleen appear normal.", "liver", "Liver appears normal"),
        # clauses of their own
        ("The liver is enlarged while the spleen is normal.", "liver", "The liver is enlarged"),
        ("The liver is enlarged while the spleen is normal.", "spleen", "The spleen is normal"),
        ("The spleen is normal, the pancreas is atrophic.", "pancreas", "The pancreas is atrophic"),
        ("Stone in the right kidney and cyst in the left kidney.", "left kidney", "Cyst in the left kidney"),
        ("No stone in the right kidney but a cyst in the left kidney.", "right kidney", "No stone in the right kidney"),
        # the denial goes with what it denies
        ("No lesion in the liver or spleen.", "liver", "No lesion in the liver"),
        ("No lesion in the liver or spleen.", "spleen", "No lesion in the spleen"),
        (
            "No mass in the liver, stone in the gallbladder or cyst in the spleen.",
            "gallbladder",
            "No stone in the gallbladder",
        ),
        (
            "Mass in the liver or cyst in the spleen was not observed.",
            "liver",
            "Mass in the liver was not observed",
        ),
        # the finding goes with its places
        ("Plaques in the aorta and coronary arteries.", "aorta", "Plaques in the aorta"),
        ("Plaques in the aorta and coronary arteries.", "coronary arteries", "Plaques in the coronary arteries"),
        # an organ that the words only imply is put before them
        ("Cholelithiasis.", "gallbladder", "Gallbladder: cholelithiasis"),
        ("The liver is large. No mass was seen.", "liver", "Liver: no mass was seen"),
        # what is cut from its noun, its finding or its subject is left whole
        (
            "Multiple, bilateral cysts with a mainly peripheral and basal distribution, with nodules in the lingula.",
            "left upper lobe",
            "Multiple, bilateral cysts with a mainly peripheral and basal distribution, with nodules in the lingula",
        ),
        (
            "Mass in the pancreas, abutting but not invading the stomach.",
            "pancreas",
            "Mass in the pancreas, abutting but not invading the stomach",
        ),
        (
            "Diverticulitis of the sigmoid colon, complicated by a pericolic abscess.",
            "sigmoid colon",
            "Diverticulitis of the sigmoid colon, complicated by a pericolic abscess",
        ),
        (
            "Small amount of fluid in the pouch of Douglas, likely physiologic.",
            "pouch of Douglas",
            "Small amount of fluid in the pouch of Douglas, likely physiologic",
        ),
        (
            "Fracture of the anterior and lateral walls of the left maxillary sinus.",
            "left maxillary sinus",
            "Fracture of the anterior and lateral walls of the left maxillary sinus",
        ),
        # stations of lymph nodes
        (
            "No enlarged lymph nodes in the mediastinum and both hila.",
            "mediastinal lymph nodes",
            "No enlarged mediastinal lymph nodes",
        ),
    ],
)
def test_caption(text: str, organ: str, caption: str) -> None:
    assert caption in of(organ, text)


LONG = [
    "The liver is enlarged and the gallbladder holds a stone, while the spleen is normal and the aorta is dilated.",
    "There is a 5 mm nodule in the right upper lobe, a 3 mm nodule in the left lower lobe and no pleural effusion.",
    "No mass in the liver, spleen, pancreas or left kidney.",
    "Stones in the gallbladder; cysts in both kidneys; the liver, spleen and pancreas are normal.",
    "Small hiatal hernia, fatty liver, calcified plaques in the aorta and osteophytes in the thoracic spine.",
]


@pytest.mark.parametrize("text", LONG)
def test_captions_of_a_long_sentence_are_shorter_than_it(text: str) -> None:
    pairs = captions(text)
    assert len({organ for organ, _ in pairs}) >= 3
    for organ, caption in pairs:
        assert len(caption) < 0.7 * len(text), (organ, caption)


ORGANS = {
    "liver": "liver",
    "spleen": "spleen",
    "pancreas": "pancreas",
    "left kidney": "left kidney",
    "right kidney": "right kidney",
    "gallbladder": "gallbladder",
    "aorta": "aorta",
    "right upper lobe": "right upper lobe",
}
CLAUSES = [
    "the {} is normal",
    "there is a 5 mm cyst in the {}",
    "no mass in the {}",
    "the {} was not enlarged",
    "possible hematoma in the {}",
    "the {} shows mild calcification",
]
SENTENCES = st.lists(
    st.tuples(st.sampled_from(sorted(ORGANS)), st.sampled_from(CLAUSES)),
    min_size=1,
    max_size=3,
    unique_by=lambda pair: pair[0],
)
FUNCTION = set("the a an is are in of and or no not was with it".split())


@settings(max_examples=200)
@given(SENTENCES, st.sampled_from([", ", "; ", " and ", " but ", " while "]))
def test_every_organ_has_a_tidy_caption_in_the_words_of_the_report(pairs: list[tuple[str, str]], joiner: str) -> None:
    text = joiner.join(clause.format(organ) for organ, clause in pairs).capitalize() + "."
    drafts = captions(text)
    assert {organ for organ, _ in pairs} <= {organ for organ, _ in drafts}, text
    text_words = set(re.findall(r"\w+", text.lower())) | FUNCTION
    for organ, caption in drafts:
        words = re.findall(r"\w+", caption.lower())
        assert set(words) <= text_words | set(organ.split()), caption
        assert caption == caption.strip(" .,;:-")
        assert caption[0] == caption[0].upper()
        assert caption.count("(") == caption.count(")")
        assert len(words) <= len(re.findall(r"\w+", text)) + len(organ.split())


@settings(max_examples=100)
@given(st.lists(st.sampled_from(sorted(ORGANS)), min_size=2, max_size=4, unique=True), st.booleans())
def test_members_of_a_list_get_captions_of_their_own(organs: list[str], denied: bool) -> None:
    listed = f"{', '.join(organs[:-1])} {'or' if denied else 'and'} {organs[-1]}"
    text = f"No mass in the {listed}." if denied else f"The {listed} are normal."
    for organ in organs:
        (caption,) = of(organ, text)
        assert organ in caption.lower()
        assert not any(other in caption.lower() for other in organs if other != organ)
        assert ("no mass" in caption.lower()) == denied


@given(st.text(max_size=80))
def test_any_text_gets_captions_or_none(text: str) -> None:
    assert isinstance(captions(text), list)
