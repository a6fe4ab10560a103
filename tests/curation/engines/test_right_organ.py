"""Captions are filed under the organ and side that the report means, with the status that it gives them."""

from __future__ import annotations

import pytest

from curation.caption import Status
from curation.readers.sections import split_sections
from tests.curation.engines.test_caption_wording import captions, engine


@pytest.mark.parametrize(
    ("text", "filed", "never"),
    [
        # a part that only one side has, said to be in the other
        ("Scar in the apicoposterior segment of the RUL.", "right upper lobe", "left upper lobe"),
        # sinuses are named by the adjectives of bones and lobes
        ("Right frontal sinusitis.", "right frontal sinus", "right frontal lobe"),
        ("Sphenoid mucosal thickening.", "sphenoid sinuses", "sphenoid bone"),
        ("Maxillary sinusitis.", "maxillary sinuses", "maxillae"),
        ("The stomach shows normal parietal thickness.", "stomach", "parietal lobes"),
        # the hilum is that of the organ named
        ("The splenic mass reaches the hilum.", "spleen", "hila"),
        ("The liver mass lies in the hilum.", "liver", "hila"),
        ("The hilum is enlarged.", "hila", "liver"),
        # an effusion behind the lungs is in the pleura
        ("The lungs are clear, but there is a left effusion.", "left pleura", "right pleura"),
        # what is affirmed behind a denial is not said of what is denied
        ("Heart: no pericardial effusion, mildly enlarged.", "heart", "pleura"),
        # Schmorl's nodes are no lymph nodes; a label ends the reach of a side
        ("Schmorl nodes at T12 and L1.", "L1 vertebra", "lymph nodes"),
        ("Left: normal. Inner ears: normal.", "right inner ear", "ears"),
        # one side is said for both of a list
        ("Left kidney and ureter are normal.", "left ureter", "ureters"),
        ("Right adrenal and kidney unremarkable.", "right kidney", "kidneys"),
        ("Right lung and pleura are clear.", "right pleura", "pleura"),
        # several parts of one bone are of no two bones
        ("The tibial spines are avulsed.", "tibiae", "left tibia"),
        # a fracture of a device is of no bone; a line lies in a vein
        ("No screw fracture.", "fixation screws", "skeleton"),
        ("No hardware fracture.", "surgical hardware", "skeleton"),
        ("Right subclavian CVC, tip in the SVC.", "central venous catheter", "right subclavian artery"),
        # adjectives of surfaces and ligaments
        ("Erosion of the lingual plate of the mandible.", "mandible", "tongue"),
        ("Left deltoid muscle atrophy, deltoid ligament intact.", "left deltoid muscle", "ligaments"),
        # what names no organ of its own is not of the one before it
        ("No pneumothorax. Right base is clear.", "pleura", "right pleura"),
        ("No ascites. No lesion on bone windows.", "peritoneum", "skeleton"),
        # a sulcus off the brain, a canal of the thigh, a unit of length
        ("Tumor of the left tonsil in the left glossotonsillar sulcus.", "left tonsil", "cerebral sulci"),
        ("Occlusion of the left SFA in the adductor canal.", "left femoral artery", "left thigh muscle"),
        ("Splenomegaly of 8 rib units.", "spleen", "ribs"),
        # a saddle embolus lies in the arteries, whatever was named before
        ("Nodule in the lingula. No saddle embolus.", "pulmonary arteries", "left lung"),
        # lymph nodes are no part of what is measured behind them
        ("Inguinal adenopathy and normal liver size.", "liver", "porta hepatis lymph nodes"),
        # nodes of several stations, in whatever words
        ("Ascites and right iliac and para-aortic adenomegalies.", "para-aortic lymph nodes", "para-aortic region"),
        # a second verb has the same subject
        ("The gallbladder is wide and shows a polyp in the neck.", "gallbladder", "neck"),
        # a side is shared by what is joined within a system of organs
        ("Moderate right hydronephrosis and hydroureter.", "right ureter", "ureters"),
        ("Left renal cyst and pulmonary edema.", "lungs", "left lung"),
        # an effusion before what is said of a lobe is in the pleura on its own side
        ("Small right effusion and consolidation in the left lower lobe.", "right pleura", "right lower lobe"),
        # the wall of the organ above, not of what lies around it
        ("The wall is not thick, no pericholecystic fluid.", "gallbladder", "pericholecystic region"),
        # motion of its walls is a property of the heart; numbers of vessels say nothing by themselves
        ("RCA: small plaque. No wall motion abnormality.", "heart", "vessels"),
        ("RCA: patent. Total 120.", "right coronary artery", "coronary arteries"),
        # a finding of all bones, behind a label that names some
        ("Spine and ribs: No fracture.", "spine", "skeleton"),
        ("Calvarium and scalp: no fracture seen.", "calvarium", "scalp"),
    ],
)
def test_organ(text: str, filed: str, never: str) -> None:
    organs = {organ for organ, _ in captions(text)}
    assert filed in organs and never not in organs, organs


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("No pericardial effusion, heart enlarged.", {"pericardium": "normal", "heart": "abnormal"}),
        ("No pneumothorax, spleen enlarged.", {"pleura": "normal", "spleen": "abnormal"}),
        ("No mediastinal, hilar or axillary lymph nodes enlarged.", {"mediastinal lymph nodes": "normal"}),
        ("Heart: no pericardial effusion, mildly enlarged.", {"pericardium": "normal", "heart": "abnormal"}),
        ("Heart not enlarged, coronary calcification.", {"heart": "normal", "coronary arteries": "abnormal"}),
        ("No mass, liver or spleen enlarged.", {"spleen": "normal"}),
        ("The lungs are clear, but there is a left effusion.", {"left lung": "normal", "left pleura": "abnormal"}),
        ("The large hepatic and portal veins are open.", {"hepatic veins": "normal", "portal vein": "normal"}),
        # a denial ends before a list that is called normal
        ("L3-4: no protrusion, thecal sac and foramina patent.", {"thecal sac": "normal", "neural foramina": "normal"}),
        ("No focal lesion, spleen and pancreas normal.", {"spleen": "normal", "pancreas": "normal"}),
        ("No thrombus, aorta and both iliac arteries patent.", {"aorta": "normal", "left iliac artery": "normal"}),
        ("No lesion in the liver, spleen and pancreas.", {"spleen": "normal", "pancreas": "normal"}),
        # what is absent behind "with" leaves what stands before it
        ("Right neck dissection with absent right internal jugular vein.", {"right internal jugular vein": "abnormal"}),
        # an examination that is suggested puts no finding in doubt
        ("5 mm lingular nodule - CT in a year suggested.", {"left upper lobe": "abnormal"}),
        ("Left renal lesion (MRI suggested).", {"left kidney": "abnormal"}),
        ("Dilated common bile duct - MRCP may be considered.", {"common bile duct": "abnormal"}),
        ("CT suggested a mass in the spleen.", {"spleen": "uncertain"}),
        # a denial ends before a clause with its own subject, and before a dash
        ("The spleen is not large, the contour is irregular.", {"spleen": "abnormal"}),
        ("The appendix is not dilated, its wall is thickened.", {"appendix": "abnormal"}),
        ("The left renal artery is not opacified - thrombosed.", {"left renal artery": "abnormal"}),
        ("The appendix is not dilated, thickened or inflamed.", {"appendix": "normal"}),
        # how well the contrast came is of the examination
        ("No dissection of the aorta, although opacification is suboptimal.", {"aorta": "normal"}),
        ("Three-vessel run-off in the left leg.", {"vessels": "normal"}),
        # a vessel that fills well
        ("Adequate opacification of the pulmonary trunk.", {"pulmonary trunk": "normal"}),
        ("Poor opacification of the pulmonary trunk.", {"pulmonary trunk": "abnormal"}),
        # a question behind a dash is about what follows
        ("Wall thickening of the cecum - ? Colitis.", {"cecum": "abnormal"}),
        ("Small ascites - ?malignant.", {"peritoneum": "abnormal"}),
        ("Ascites?", {"peritoneum": "uncertain"}),
    ],
)
def test_status(text: str, status: dict[str, Status]) -> None:
    verifier = engine().verifier
    statuses = {organ: verifier.status(caption) for organ, caption in captions(text)}
    assert status.items() <= statuses.items(), statuses


@pytest.mark.parametrize(
    ("text", "organ", "caption"),
    [
        # what the title names is the brain, where nothing else is
        ("CT HEAD\nFINDINGS: Moderate generalized atrophy.", "brain", "Brain: moderate generalized atrophy"),
        ("CT HEAD\nFINDINGS: Scalp swelling. Diffuse atrophy.", "brain", "Brain: diffuse atrophy"),
        (
            "CT HEAD\nFINDINGS: Microangiopathic changes and generalized atrophy.",
            "brain",
            "Microangiopathic changes and generalized atrophy",
        ),
        ("Ventricular function: reduced.", "heart", "Heart: ventricular function: reduced"),
        ("Agatston score: LAD 88, RCA 0.", "left anterior descending artery", "Agatston score, LAD 88"),
    ],
)
def test_what_names_no_organ_is_of_the_one_that_has_it(text: str, organ: str, caption: str) -> None:
    sections = split_sections(text)
    drafts = engine().drafts(engine().verifier.read(text, sections))
    assert caption in [draft.caption for draft in drafts if draft.organ == organ]


def test_atrophy_below_another_title_is_of_no_brain() -> None:
    text = "CT ABDOMEN\nFINDINGS: Generalized atrophy."
    assert not engine().drafts(engine().verifier.read(text, split_sections(text)))


@pytest.mark.parametrize("word", ["bibasilar", "biapical", "Bibasal"])
def test_a_word_for_both_sides_is_not_split(word: str) -> None:
    wordings = {caption for _, caption in captions(f"Mild {word} scarring.")}
    assert wordings == {f"Mild {word} scarring"}


@pytest.mark.parametrize(
    "text",
    [
        "Emboli in the right lung. None in the left lung.",
        "No liver or spleen normal.",
        "None at the apex.",
        "The fat between them is stranded.",
        "A smaller similar nodule in the left lung.",
        "Similar cysts in the liver.",
    ],
)
def test_what_is_cut_from_its_sense_is_not_said(text: str) -> None:
    assert {organ for organ, _ in captions(text)} <= {"right lung"}
