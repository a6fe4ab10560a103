"""The built-in engine on form lines: organs with their status, and captions that stand alone."""

from __future__ import annotations

import pytest

from curation.caption import Status

from .rules_sentences import ABNORMAL, NONE, NORMAL, UNCERTAIN, same_status
from .test_rules import captions, statuses

FORMS: list[tuple[str, dict[str, Status]]] = [
    ("[1] The thyroid is normal.\n[2] The prostate is large.", {"thyroid gland": NORMAL, "prostate": ABNORMAL}),
    ("Cholecystitis: no. Cysts: present.", {"gallbladder": NORMAL}),
    ("Thyroid -\nLarge.\nProstate -\nNormal.", {"thyroid gland": ABNORMAL, "prostate": NORMAL}),
    ("GALLBLADDER, KIDNEYS: stone", {}),
    ("r) The thyroid is normal.\ns) The prostate is large.", {"thyroid gland": NORMAL, "prostate": ABNORMAL}),
    (
        "Cholecystitis: no\nHydrocephalus: yes\nPneumoperitoneum: absent",
        {"gallbladder": NORMAL, "cerebral ventricles": ABNORMAL, "peritoneum": NORMAL},
    ),
    ("Hydronephrosis: right\nDiverticulosis: none", {"right kidney": ABNORMAL, "colon": NORMAL}),
    ("Infarct: left occipital lobe", {"left occipital lobe": ABNORMAL}),
    ("Abscess: 3 cm in the right psoas muscle", {"right psoas muscle": ABNORMAL}),
    ("Metastases: pancreas and left adrenal gland", {"pancreas": ABNORMAL, "left adrenal gland": ABNORMAL}),
    ("Dissection of the thoracic aorta: negative", {"thoracic aorta": NORMAL}),
    ("Pneumonia: possible", {"lungs": UNCERTAIN}),
    ("Thyroid: np\nTrachea: n.a.d.\nProstate: ok", same_status(NORMAL, "thyroid gland", "trachea", "prostate")),
    ("ADRENALS / SPLEEN: unremarkable", same_status(NORMAL, "left adrenal gland", "right adrenal gland", "spleen")),
    (
        "Bladder, prostate and rectum: within normal limits",
        same_status(NORMAL, "urinary bladder", "prostate", "rectum"),
    ),
    ("Cardiomegaly (+), pneumothorax (-).", {"heart": ABNORMAL, "pleura": NORMAL}),
    ("Cardiomegaly: +\nEmphysema: -", {"heart": ABNORMAL, "lungs": NORMAL}),
    ("Emphysema: -", NONE),
    ("+ Cardiomegaly\n- Emphysema\n- Colitis", {"heart": ABNORMAL}),
    ("- Cardiomegaly\n- Emphysema", {"heart": ABNORMAL, "lungs": ABNORMAL}),
    ("- Cardiomegaly\n  + mild\n- Emphysema", {"heart": ABNORMAL, "lungs": ABNORMAL}),
    ("Colitis? N\nCardiomegaly? Y", {"colon": NORMAL, "heart": ABNORMAL}),
    ("[ ] Colitis\n[x] Cirrhosis", {"liver": ABNORMAL}),
    ("Kidneys: ☐ normal ☒ atrophic", same_status(ABNORMAL, "left kidney", "right kidney")),
    ("Pancreas: [x] Normal [ ] Abnormal", {"pancreas": NORMAL}),
    ("Pancreas | normal\nUterus | fibroid 3 cm", {"pancreas": NORMAL, "uterus": ABNORMAL}),
    ("Liver: ____\nGallbladder: [ ]\nSpleen: n/a\nPancreas: not assessed", NONE),
    ("Liver\tnormal\nSpleen\t15 cm, enlarged", {"liver": NORMAL, "spleen": ABNORMAL}),
    ("Colitis\nNo\nCirrhosis\nYes", {"colon": NORMAL, "liver": ABNORMAL}),
]


@pytest.mark.parametrize(("text", "expected"), FORMS)
def test_organs_of_form_lines_and_their_status(text: str, expected: dict[str, Status]) -> None:
    assert statuses(text) == {organ: {status} for organ, status in expected.items()}


def test_captions_of_form_lines_stand_alone() -> None:
    text = "Colitis: no\nHydronephrosis: left\nSpleen: NAD\nCardiomegaly (+)"
    assert [(row.organ, row.caption, row.evidence) for row in captions(text)] == [
        ("colon", "Colon: no colitis", "Colitis: no"),
        ("left kidney", "Left kidney: left hydronephrosis", "Hydronephrosis: left"),
        ("spleen", "Spleen: normal", "Spleen: NAD"),
        ("heart", "Heart: cardiomegaly", "Cardiomegaly (+)"),
    ]


BLOCKS: list[tuple[str, dict[str, Status]]] = [
    (
        "LEFT KIDNEY\nRenal pelvis: dilated\nRIGHT KIDNEY\nUreter: normal",
        {"left renal pelvis": ABNORMAL, "right ureter": NORMAL},
    ),
    ("LEFT ORBIT\nGlobe: ruptured\nRIGHT ORBIT\nGlobe: intact", {"left globe": ABNORMAL, "right globe": NORMAL}),
    (
        "LEFT CAROTID\nICA: occluded\nRIGHT CAROTID\nICA: patent",
        {"left internal carotid artery": ABNORMAL, "right internal carotid artery": NORMAL},
    ),
    ("RIGHT KIDNEY\nUreters: normal", same_status(NORMAL, "left ureter", "right ureter")),
    ("RIGHT EAR\nMiddle ear: soft tissue in the attic\nIncus: eroded", {"right middle ear": ABNORMAL}),
    ("IVC contact: none\nSMV abutment: absent", same_status(NORMAL, "inferior vena cava", "superior mesenteric vein")),
    ("Uterus: absent", {"uterus": ABNORMAL}),
    ("Thyroid: absent left lobe (post lobectomy)", {"thyroid gland": ABNORMAL}),
    ("Right subclavian port.", {"port catheter": ABNORMAL}),
    ("Right subclavian stenosis.", {"right subclavian artery": ABNORMAL}),
    ("T3 - left adrenal nodule: 15 mm", {"left adrenal gland": ABNORMAL}),
    ("T3: compression fracture", {"T3 vertebra": ABNORMAL}),
    ("Basilar/PCAs: patent", {"basilar artery": NORMAL}),
    ("Vertebral alignment: normal", {"vertebrae": NORMAL}),
    ("Vertebrals: patent", same_status(NORMAL, "left vertebral artery", "right vertebral artery")),
    ("Left peroneal artery: occluded", {"left peroneal artery": ABNORMAL}),
    ("Liver: 9 mm lesion, prob. cyst.", {"liver": ABNORMAL}),
    ("Adenoids enlarged.", {"nasopharynx": ABNORMAL}),
    ("Nodes\n  Pelvic: none enlarged\nBones: L5 slip. No metastases.", {"skeleton": NORMAL}),
]


@pytest.mark.parametrize(("text", "expected"), BLOCKS)
def test_blocks_and_labels_tell_which_organ_is_meant(text: str, expected: dict[str, Status]) -> None:
    seen = statuses(text)
    assert {organ: seen.get(organ) for organ in expected} == {organ: {status} for organ, status in expected.items()}
    unwanted = {"lungs", "vertebrae", "left ureter", "lymph nodes", "T3 vertebra", "right subclavian artery"}
    assert not unwanted.difference(expected).intersection(seen)


def test_labels_of_a_part_stay_with_what_is_said_behind_them() -> None:
    text = "R ICA terminus: patent\nLung bases: clear. No nodule."
    assert [row.caption for row in captions(text)] == [
        "R ICA terminus: patent",
        *("Lung bases: clear",) * 2,
        *("Lung bases: no nodule",) * 2,
    ]


REPORTS: list[tuple[str, set[tuple[str, str, str]]]] = [
    # A heading tells which of a pair is meant, and of which part a kind of organ is.
    ("LEFT KIDNEY: 10 cm. No hydronephrosis.", {
        ("left kidney", "uncertain", "LEFT KIDNEY: 10 cm"), ("left kidney", "normal", "Left kidney: no hydronephrosis"),
    }),
    ("RIGHT KIDNEY: Dilated collecting system. A 3 cm mass.", {
        ("right renal collecting system", "abnormal", "RIGHT KIDNEY: Dilated collecting system"),
        ("right kidney", "abnormal", "Right kidney: a 3 cm mass"),
    }),
    ("RCA:\n  Mid: calcified plaque", {
        ("right coronary artery", "abnormal", "Right coronary artery: calcified plaque"),
    }),
    ("LEFT LEG\nEIA: patent\nIIA: occluded", {
        ("left external iliac artery", "normal", "Left leg: EIA: patent"),
        ("left internal iliac artery", "abnormal", "Left leg: IIA: occluded"),
    }),
    # What a finding implies as a kind gives way to a label.
    ("Pleura: calcified plaques", {("pleura", "abnormal", "Pleura: calcified plaques")}),
    # A count behind a side is no vertebra, nor is a code in brackets.
    ("L 2 nodules in the upper lobe", {("left upper lobe", "abnormal", "Left 2 nodules in the upper lobe")}),
    ("Sigmoid colon: 8 mm polyp (C2)", {("sigmoid colon", "abnormal", "Sigmoid colon: 8 mm polyp (C2)")}),
    ("Fracture of L 2", {("L2 vertebra", "abnormal", "Fracture of L 2")}),
    # What only tells of an unknown label, or where a vessel begins, is about no organ that is named beside.
    ("ATA: occluded mid calf", set()),
    ("Variant: replaced RHA from SMA", set()),
    ("Sutures: no recurrent mass at the anastomosis", {
        ("anastomosis", "normal", "Sutures: no recurrent mass at the anastomosis"),
    }),
    ("Liver: normal.\nDominance: right", {("liver", "normal", "Liver: normal")}),
    ("TRAUMA CT KNEE (LEFT)\nLiver: normal", {("liver", "normal", "Liver: normal")}),
    ("OVARIAN CANCER REPORTING FORM\nLiver: normal", {("liver", "normal", "Liver: normal")}),
    # Status.
    ("Spleen: absent (previous splenectomy)", {("spleen", "abnormal", "Absent spleen")}),
    ("Pancreas normal with atrophy absent.", {("pancreas", "normal", "Pancreas normal with atrophy absent")}),
    ("Bladder: wall otherwise thin", {("urinary bladder", "uncertain", "Bladder: wall otherwise thin")}),
    ("Foramina: moderate", set()),
    # Lines and shared nouns.
    ("Trachea: deviated to the left\nLymph nodes: none enlarged", {
        ("trachea", "abnormal", "Trachea: deviated to the left"),
        ("lymph nodes", "normal", "Lymph nodes: none enlarged"),
    }),
    ("L4-L5: moderate canal and severe right foraminal narrowing.", {
        ("spinal canal", "abnormal", "L4-L5: moderate canal narrowing"),
        ("right neural foramen", "abnormal", "L4-L5: severe right foraminal narrowing"),
    }),
    ("Basilar: patent", {("basilar artery", "normal", "Basilar: patent")}),
    ("Basilar: atelectasis", {("lungs", "abnormal", "Basilar: atelectasis")}),
    ("RIGHT HIP\nFemoral head: flattened\nLoose bodies: none", {
        ("right femoral head", "abnormal", "Right hip: femoral head: flattened"),
        ("right hip joint", "normal", "Right hip: no loose bodies"),
    }),
    ("SFA: occluded to the knee", {("femoral arteries", "abnormal", "SFA: occluded to the knee")}),
    ("Aortic valve: tricuspid, calcified", {("aortic valve", "abnormal", "Aortic valve: tricuspid, calcified")}),
    ("Left adrenal:\nVenous: 88 HU\nCalcification: absent", {
        ("left adrenal gland", "normal", "Left adrenal gland: no calcification"),
    }),
    ("Nodes: left supraclavicular 1.4 cm", set()),
    ("Right ethmoid and the sphenoid sinuses are clear", {
        ("right ethmoid sinus", "normal", "Right ethmoid and the sphenoid sinuses are clear"),
        ("left sphenoid sinus", "normal", "Right ethmoid and the sphenoid sinuses are clear"),
        ("right sphenoid sinus", "normal", "Right ethmoid and the sphenoid sinuses are clear"),
    }),
    ("HIPS: The sacrum is intact.", {("sacrum", "normal", "HIPS: The sacrum is intact")}),
    ("VENTRICLES: Compressed. Midline shift of 9 mm.", {
        ("cerebral ventricles", "abnormal", "VENTRICLES: Compressed"),
        ("brain", "abnormal", "Brain: midline shift of 9 mm"),
    }),
    ("Lung bases: 4 mm nodule in the right lower lobe", {
        ("right lower lobe", "abnormal", "Lung bases: 4 mm nodule in the right lower lobe"),
    }),
    # The header of a table, and the noun of a title or heading, are read with the lines below.
    ("Site | Right | Left\nPleural effusion | small | none\nAdrenal | 9 mm nodule | normal", {
        ("right pleura", "abnormal", "Small right pleural effusion"),
        ("left pleura", "normal", "No left pleural effusion"),
        ("right adrenal gland", "abnormal", "Right adrenal gland: 9 mm nodule"),
        ("left adrenal gland", "normal", "Left adrenal gland: normal"),
    }),
    ("Lesion | Location | Size | Prior\n1 | RUL | 6 mm | 9 mm\n2 | lingula | 4 mm | -", {
        ("right upper lobe", "abnormal", "6 mm lesion, RUL, previously 9 mm"),
        ("left upper lobe", "abnormal", "4 mm lesion, lingula"),
    }),
    ("Level | 2024 | Today\nAscending aorta | 44 mm | 46 mm", {
        ("ascending aorta", "uncertain", "Ascending aorta: 46 mm, previously 44 mm"),
    }),
    ("Target | Baseline (mm) | Current (mm)\nT1 LLL nodule | 12 | 8\nLeft adrenal | normal | 22", {
        ("left lower lobe", "abnormal", "8 mm LLL nodule, previously 12 mm"),
        ("left adrenal gland", "uncertain", "Left adrenal: 22 mm"),
    }),
    ("CT COLONOGRAPHY\nTransverse: 6 mm polyp\nLiver: normal", {
        ("transverse colon", "abnormal", "Transverse colon: 6 mm polyp"), ("liver", "normal", "Liver: normal"),
    }),
    ("CTA RUNOFF\nPopliteal: occluded\nRenal: no stones", {
        ("popliteal arteries", "abnormal", "Popliteal artery: occluded"),
        ("kidneys", "normal", "Renal: no stones"),
    }),
    ("Valves: Aortic - calcified. Mitral - normal.", {
        ("aortic valve", "abnormal", "Valves: Aortic valve - calcified"),
        ("mitral valve", "normal", "Mitral valve: normal"),
    }),
    # Ranges name what lies between; a line that ends in "segment" or "left" ends above the next label.
    ("Fractures of the left 3rd to 5th ribs", {
        (f"left {number} rib", "abnormal", "Fractures of the left 3rd to 5th ribs") for number in ("3rd", "4th", "5th")
    }),
    ("Fracture of left ribs 7, 8 and 10", {
        (f"left {number}th rib", "abnormal", "Fracture of left ribs 7, 8 and 10") for number in (7, 8, 10)
    }),
    ("RUL: 7 mm nodule, apical segment\nRML: atelectasis", {
        ("right upper lobe", "abnormal", "RUL: 7 mm nodule, apical segment"),
        ("right middle lobe", "abnormal", "RML: atelectasis"),
    }),
    ("Liver: 17 cm, fatty, no focal lesion", {("liver", "abnormal", "Liver: 17 cm, fatty, no focal lesion")}),
    ("Contralateral kidney: 2 simple cysts", set()),
    ("DNS: to right with spur", set()),
    ("Portal vein: patent, anastomosis mildly narrowed", {
        ("portal vein", "normal", "Portal vein: patent"),
        ("anastomosis", "abnormal", "Portal vein: patent, anastomosis mildly narrowed"),
    }),
]  # fmt: skip


@pytest.mark.parametrize(
    ("report", "expected"), REPORTS, ids=lambda value: repr(value)[1:40] if isinstance(value, str) else ""
)
def test_which_organ_a_line_is_about(report: str, expected: set[tuple[str, str, str]]) -> None:
    assert {(row.organ, row.status, row.caption) for row in captions(report)} == expected
