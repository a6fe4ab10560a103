"""Form lines: what fields, tick boxes, signs and rows say, as plain sentences; and what is no form line."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.language.forms.answers import FieldAnswer, read_reply
from curation.language.forms.labels import LabelKind, read_label
from curation.language.forms.reader import FormReader
from curation.language.forms.signs import has_leading_signs, minus_denies
from curation.language.parser import StatementParser
from curation.language.statements import split_statements

ROOT = Path(__file__).resolve().parents[3]


@cache
def parser() -> StatementParser:
    return StatementParser()


@cache
def reader() -> FormReader:
    return FormReader(parser())


def plain(line: str, minus_is_no: bool = False) -> list[str] | None:
    sentences = reader().read(line, minus_is_no)
    return None if sentences is None else [sentence.text for sentence in sentences]


FINDINGS = [
    ("Appendicitis: no", ["No appendicitis"]),
    ("Cholecystitis: none seen", ["No cholecystitis"]),
    ("DIVERTICULITIS: NO", ["No diverticulitis"]),
    ("Pericardial Effusion: Absent.", ["No pericardial effusion"]),
    ("Coronary stenosis: negative", ["No coronary stenosis"]),
    ("Portal vein thrombosis: not identified", ["No portal vein thrombosis"]),
    ("Bowel obstruction: nil", ["No bowel obstruction"]),
    ("Dissection of the thoracic aorta: neg.", ["No dissection of the thoracic aorta"]),
    ("Metastases: none in the liver", ["No metastases in the liver"]),
    ("Hiatal hernia: present", ["Hiatal hernia"]),
    ("Bronchiectasis: yes - left lower lobe", ["Bronchiectasis, left lower lobe"]),
    ("Cardiomegaly: YES", ["Cardiomegaly"]),
    ("Pneumothorax: positive, right", ["Right pneumothorax"]),
    ("Hydronephrosis: R", ["Right hydronephrosis"]),
    ("Adrenal nodule: bilateral", ["Bilateral adrenal nodule"]),
    ("Pleural thickening: left and right", ["Bilateral pleural thickening"]),
    ("Emphysema: moderate", ["Moderate emphysema"]),
    ("Appendicolith: 6 mm", ["6 mm appendicolith"]),
    ("Infarct: right occipital lobe", ["Infarct, right occipital lobe"]),
    ("Abscess: 3 cm in the right psoas muscle", ["3 cm abscess in the right psoas muscle"]),
    ("Hepatic lesion: hypodense, 14 mm, segment VI", ["Hypodense 14 mm hepatic lesion, segment VI"]),
    ("Lymphadenopathy: mediastinal, left hilar, 12 mm", ["12 mm mediastinal lymphadenopathy, left hilar"]),
    ("Lymphadenopathy: axillary, inguinal", ["Axillary lymphadenopathy", "Inguinal lymphadenopathy"]),
    ("Metastases: both adrenals and spleen", ["Metastases, both adrenals", "Metastases, spleen"]),
    ("Pleural effusion: large right, small left", ["Large right pleural effusion", "Small left pleural effusion"]),
    ("Nodule: 9 mm, previously 5 mm", ["9 mm nodule, previously 5 mm"]),
    ("Haemorrhage: 2 cm left thalamus, mild oedema", ["2 cm haemorrhage, left thalamus"]),
    ("Mass: 3 cm left kidney, renal vein thrombus", ["3 cm mass, left kidney", "Renal vein thrombus"]),
    ("Cyst: unchanged", ["Unchanged cyst"]),
    ("Rib fracture: displaced", ["Displaced rib fracture"]),
    ("Pneumonia: possible", ["Possible pneumonia"]),
    ("Perforation: cannot be excluded", ["Perforation cannot be excluded"]),
    ("Bowel ischemia: no convincing evidence of", ["No convincing evidence of bowel ischemia"]),
    ("Spleen enlarged: no", ["Spleen not enlarged"]),
    ("Kidney - stones: none", ["Kidney: no stones"]),
    ("Ascites/pneumoperitoneum: none", ["No ascites or pneumoperitoneum"]),
    ("Central venous catheter: yes", ["Central venous catheter"]),
    ("Stones: none, fatty infiltration of the pancreas", ["No stones", "Fatty infiltration of the pancreas"]),
    ("Absent: hernia, abscess", ["No hernia or abscess"]),
    ("Present: cirrhosis", ["Cirrhosis"]),
]
ORGANS = [
    ("Thyroid: np", ["Thyroid: normal"]),
    ("Trachea : N.A.D.", ["Trachea: normal"]),
    ("Prostate: ok", ["Prostate: normal"]),
    ("Uterus: NAD, retroverted", ["Uterus: normal, retroverted"]),
    ("Ovaries: negative", ["Ovaries: normal"]),
    ("Spleen size: NP", ["Spleen size: normal"]),
    ("ADRENALS / KIDNEYS: unremarkable", ["ADRENALS: unremarkable", "KIDNEYS: unremarkable"]),
    ("Bladder/prostate/rectum: NAD", ["Bladder: normal", "Prostate: normal", "Rectum: normal"]),
    ("Thyroid & trachea: no abnormality", ["Thyroid: no abnormality", "Trachea: no abnormality"]),
    ("Pancreas and spleen: within normal limits", ["Pancreas: within normal limits", "Spleen: within normal limits"]),
    ("Normal: kidneys, bladder", ["Kidneys: normal", "Bladder: normal"]),
    ("Ureters normal? Yes", ["Ureters normal"]),
    ("Gallbladder: absent", ["Absent gallbladder"]),
    ("Left kidney: absent (previous nephrectomy)", ["Absent left kidney"]),
    ("Prostate: N", ["Prostate: normal"]),
    ("Gallbladder: not visualised", ["Gallbladder not visualised"]),
    ("Bladder - 3 cm stone", ["Bladder: 3 cm stone"]),
    ("Ovaries - left cyst", ["Ovaries: left cyst"]),
    ("Pancreas NAD", ["Pancreas: normal"]),
]
MARKED = [
    ("[x] Hiatal hernia", ["Hiatal hernia"]),
    ("[ ] Hiatal hernia", []),
    ("Hiatal hernia ☑", ["Hiatal hernia"]),
    ("☐ Pneumonia ☒ Pneumothorax ☐ Emphysema", ["Pneumothorax"]),
    ("Pneumonia [ ] Pneumothorax [X] Emphysema [ ]", ["Pneumothorax"]),
    ("( ) Colitis (x) Diverticulosis", ["Diverticulosis"]),
    ("{ } Colitis {x} Diverticulosis", ["Diverticulosis"]),
    ("[√] Colitis [ ] Diverticulosis", ["Colitis"]),
    ("Kidneys: ☐ normal ☒ atrophic", ["Kidneys: atrophic"]),
    ("Trachea: [x] midline [ ] deviated", ["Trachea: midline"]),
    ("Cirrhosis: [ ] yes [x] no", ["No cirrhosis"]),
    ("Cirrhosis: yes [x] no [ ]", ["Cirrhosis"]),
    ("Cirrhosis yes [ ] no [x]", ["No cirrhosis"]),
    ("Hydronephrosis: ☐ none ☑ right ☐ left", ["Right hydronephrosis"]),
    ("Hydronephrosis: [x] left [x] right", ["Bilateral hydronephrosis"]),
    ("Bladder: [x] normal [x] thickened", []),
    ("Pneumonia: [x] yes [x] no", []),
    ("[x] Pancreas", []),
    ("[✓] No free fluid", ["No free fluid"]),
    ("✗ Colitis", []),
    ("Cardiomegaly (+), emphysema (-)", ["Cardiomegaly", "No emphysema"]),
    ("Diverticula (+) in the sigmoid colon, colitis (-)", ["Diverticula in the sigmoid colon", "No colitis"]),
    ("Emphysema (+), mainly in the left upper lobe", ["Emphysema, mainly in the left upper lobe"]),
    ("Cardiomegaly +, pleural thickening -, emphysema ++", ["Cardiomegaly", "No pleural thickening", "Emphysema"]),
    ("Cholelithiasis: (-)", ["No cholelithiasis"]),
    ("Cholelithiasis: +", ["Cholelithiasis"]),
    ("Cholelithiasis (±)", []),
]
BELOW_AN_ORGAN = [
    ("Left kidney: stones no, cysts yes", ["Left kidney: no stones", "Left kidney: cysts"]),
    ("Left kidney: stone (+), hydronephrosis (-)", ["Left kidney: stone", "Left kidney: no hydronephrosis"]),
    ("Kidneys: Right: normal", ["Right kidney: normal"]),
    ("Adrenals: R normal, L 12 mm nodule", ["Right adrenal gland: normal", "Left adrenal gland: 12 mm nodule"]),
    ("Ovaries: Lt 4 cm cyst; Rt not seen", ["Left ovary: 4 cm cyst", "Right ovary not seen"]),
    ("Ossicles: R eroded; L intact", ["Right ossicles: eroded", "Left ossicles: intact"]),
    ("Pleural effusion: R large / L trace", ["Large right pleural effusion", "Trace left pleural effusion"]),
    ("Hydronephrosis: R grade 2, L absent", ["Right hydronephrosis, grade 2", "No left hydronephrosis"]),
    ("Haemothorax: R - small; L - nil", ["Small right haemothorax", "No left haemothorax"]),
    ("Infarcts: left cerebellar, right thalamic", ["Infarcts, left cerebellar", "Infarcts, right thalamic"]),
    (
        "Bronchiectasis: RUL mild / RML none / lingula severe",
        ["Mild bronchiectasis in RUL", "No bronchiectasis in RML", "Severe bronchiectasis in lingula"],
    ),
    ("Kidney, left: 4 mm stone", ["Left kidney: 4 mm stone"]),
    ("Ovarian cyst (right): no", ["No right ovarian cyst"]),
    ("Renal stones: left - no, right - 4 mm", ["No left renal stones", "4 mm right renal stones"]),
    ("Pleural effusion: L: small, R: none", ["Small left pleural effusion", "No right pleural effusion"]),
    ("Ovaries: left: normal, right: 3 cm cyst", ["Left ovary: normal", "Right ovary: 3 cm cyst"]),
    ("Pleura: Effusion: [x] none [ ] left", ["Pleura: no effusion"]),
    ("Is the appendix dilated? No", ["Appendix not dilated"]),
    ("Any fracture? Yes, left femur", ["Fracture, left femur"]),
    ("Renal cyst: simple, left upper pole", ["Simple renal cyst in left upper pole"]),
    ("Gallstones with cholecystitis: no", []),
    ("Pancreas: [normal]", ["Pancreas: normal"]),
    ("Pulmonary nodule: Yes, 6 mm RUL", ["6 mm pulmonary nodule in RUL"]),
    ("Mass effect or midline shift: none", ["No mass effect or midline shift"]),
    ("Hernia: No (none)", ["No hernia"]),
    ("Hernia -ve", ["No hernia"]),
    ("Hernia -ve, colitis +ve.", ["No hernia", "Colitis"]),
    (
        "Pleural effusion: large on the left, none on the right",
        ["Large pleural effusion on the left", "No pleural effusion on the right"],
    ),
    ("Hydronephrosis: ++ left, - right", ["Left hydronephrosis", "No hydronephrosis on the right"]),
    ("Uterus: grossly nl", ["Uterus: normal"]),
    ("Kidneys / bladder: no stones", ["Kidneys: no stones", "Bladder: no stones"]),
    ("Lungs, pleura: clear, no mass", ["Lungs: clear, no mass", "Pleura: clear, no mass"]),
    ("Heart/mediastinum: Cardiomegaly", ["Cardiomegaly"]),
    ("Appendix | seen | normal", ["Appendix: normal"]),
]
ROWS = [
    ("Left kidney | normal", ["Left kidney: normal"]),
    ("| Pancreas | 4 mm cyst |", ["Pancreas: 4 mm cyst"]),
    ("Pulmonary trunk\t34 mm, dilated", ["Pulmonary trunk: 34 mm, dilated"]),
    ("Kidney | left | atrophic", ["Left kidney: atrophic"]),
    ("Uterus | Fibroids | none", ["Uterus: no fibroids"]),
    ("Nodule | 5 mm | lingula", ["5 mm nodule, lingula"]),
    ("Pancreas | normal | Spleen | enlarged", ["Pancreas: normal", "Spleen: enlarged"]),
    ("Gallbladder | abnormal | stones", ["Gallbladder: stones"]),
    ("Pleural effusion | yes | no", []),
    ("Organ | Finding", []),
    ("Liver | Spleen | Kidneys", []),
    ("normal | enlarged | normal", []),
]
SEVERAL = [
    ("Ascites: no, hernia: yes, abscess: no", ["No ascites", "Hernia", "No abscess"]),
    ("Cirrhosis: yes Ascites: none Varices: yes", ["Cirrhosis", "No ascites", "Varices"]),
    ("Colitis? N", ["No colitis"]),
    ("Is there a bowel perforation? No.", ["No bowel perforation"]),
    ("Colitis (Y/N): Y", ["Colitis"]),
    ("Colitis\nNo", ["No colitis"]),
    ("Pancreas: Cysts: none", ["Pancreas: no cysts"]),
    ("FINDINGS: Colitis: no", ["No colitis"]),
    ("Colitis -> none", ["No colitis"]),
    ("Colitis = yes", ["Colitis"]),
    ("Colitis ..... no", ["No colitis"]),
    ("Hernia....yes", ["Hernia"]),
    ("Lesion: Lung-RADS 2", ["Lung-RADS 2"]),
    ("Total Agatston score: 0", ["Total Agatston score 0"]),
    ("Lung-RADS category 1: negative", ["Lung-RADS category 1"]),
]
NOTHING = [
    "Liver: ____", "Gallbladder: [ ]", "Spleen: n/a", "Pancreas: not assessed", "Aneurysm: ?",
    "Hernia: yes / no", "Spleen: normal / enlarged", "Colitis: -", "Kidneys: Y", "Kidneys: -", "Uterus: +",
    "Polyps: 3", "Prostate: XYZ", "Ascites/hernia: yes", "No ascites: yes",
    "Left hydronephrosis: right",
    "Contrast: yes", "Mass: none, but a cyst in the pancreas", "Mass: resected", "Nodule: previously 6 mm",
    "Effusion: R > L", "Ascites: no hernia: yes", "Colitis: x", "Heart: unknown", "Kidneys: see below",
    "Location: right lower lobe", "Uterus: as above", "Uterus: dictated below", "Uterus: u/q", "Bladder: same",
    "Kidneys and bladder: 4 mm stone",
    "No: 3 nodules in the right upper lobe", "Left ovary: not seen separately", "Lobar: RUL no / RLL yes",
]  # fmt: skip
NO_FORM = [
    "Spine: left-facing scoliosis is observed",
    "The liver is enlarged.", "LIVER: Fatty.", "LIVER: The liver is enlarged.", "Lungs: clear", "Spleen:",
    "Pancreas: 4 mm cyst",
    "Lungs: COPD", "There is a nodule (5 mm) in the lung.", "No ascites.", "Gallstones: The largest measures 5 mm.",
    "Thickened bowel wall and minimal ascites - ?", "Nodules (no change) in both lungs.", "Portal vein: patent",
    "CT 12:30",
    "Renal enhancement: symmetric", "Uterus: surgically absent", "T12 - L1 disc",
    "Vertebrals: left dominant, right hypoplastic, stenosis on the left",
]  # fmt: skip


@pytest.mark.parametrize(("line", "sentences"), FINDINGS + ORGANS + MARKED + BELOW_AN_ORGAN + ROWS + SEVERAL)
def test_what_a_form_line_says(line: str, sentences: list[str]) -> None:
    assert plain(line) == sentences


@pytest.mark.parametrize("line", NOTHING)
def test_what_is_empty_or_not_understood_says_nothing(line: str) -> None:
    assert plain(line) == []


@pytest.mark.parametrize("line", NO_FORM)
def test_what_is_no_form_line(line: str) -> None:
    assert plain(line) is None


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Masses: The pancreas is atrophic.", "The pancreas is atrophic."),
        ("Aneurysm: The infrarenal aorta measures 2.5 cm", "The infrarenal aorta measures 2.5 cm"),
        ("Fracture: No acute fracture of the pelvis", "No acute fracture of the pelvis"),
    ],
)
def test_a_finding_above_a_sentence_is_only_its_heading(line: str, value: str) -> None:
    assert plain(line) == [value]


def test_a_lone_dash_is_a_minus_where_the_report_has_a_plus() -> None:
    assert minus_denies("Cardiomegaly: +\nEmphysema: -") and not minus_denies("Cardiomegaly: yes\nEmphysema: -")
    assert plain("Emphysema: -", minus_is_no=True) == ["No emphysema"]
    assert plain("Pancreas: -", minus_is_no=True) == []


def test_a_dash_before_a_line_is_no_bullet_where_a_plus_stands_before_others() -> None:
    assert has_leading_signs("+ Colitis\n- Hernia") and has_leading_signs("  - Colitis\n  + Hernia")
    assert not has_leading_signs("- Colitis\n  + mild") and not has_leading_signs("- Colitis\n- Hernia")
    assert plain("+ Colitis") == ["Colitis"]


def test_the_places_of_several_answers_are_told_apart() -> None:
    line = "Cirrhosis: yes, ascites: no"
    sentences = reader().read(line)
    assert sentences and [line[s.start : s.end] for s in sentences] == ["Cirrhosis: yes", "ascites: no"]


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="[](){}xX+-/:|?\t\n ☐☑.,_ NYnoyes", max_size=40))
def test_marks_without_words_say_nothing_and_fail_nowhere(text: str) -> None:
    sentences = reader().read(text)
    assert not sentences or all(text[s.start : s.end].strip() for s in sentences)


@pytest.mark.parametrize(
    ("value", "answer", "rest"),
    [
        ("Yes, left", FieldAnswer.YES, "left"),
        ("n.a.d.", FieldAnswer.NORMAL, ""),
        ("(-)", FieldAnswer.NO, ""),
        ("-", FieldAnswer.MINUS, ""),
        ("[  ]", FieldAnswer.EMPTY, ""),
        ("present in the liver", FieldAnswer.YES, "in the liver"),
        ("none 3", FieldAnswer.NO, ""),
        ("Y/N", FieldAnswer.EMPTY, ""),
    ],
)
def test_an_answer_and_what_stands_behind_it(value: str, answer: FieldAnswer, rest: str) -> None:
    assert read_reply(value) == (answer, rest)


@pytest.mark.parametrize("value", ["no fracture", "normal", "enlarged", "noted calcification", "nodule", "yesterday"])
def test_what_is_no_answer(value: str) -> None:
    assert read_reply(value) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Left kidney", LabelKind.ORGAN),
        ("Renal stones", LabelKind.FINDING),
        ("Kidneys normal", LabelKind.STATE),
        ("Technique", LabelKind.OTHER),
        ("No ascites", LabelKind.OTHER),
        ("Incidental", LabelKind.OTHER),
    ],
)
def test_what_a_label_names(text: str, kind: LabelKind) -> None:
    label = read_label(parser(), text)
    assert label is not None and label.kind is kind


@pytest.mark.parametrize("text", ["The liver shows", "word " * 12, ""])
def test_a_sentence_is_no_label(text: str) -> None:
    assert read_label(parser(), text) is None


@pytest.mark.parametrize(
    ("text", "statements"),
    [
        ("Colitis: No\nHernia: yes", ["Colitis: No", "Hernia: yes"]),
        ("Hydronephrosis: left\nHernia: none", ["Hydronephrosis: left", "Hernia: none"]),
        ("hydronephrosis: left\nhernia: none", ["hydronephrosis: left", "hernia: none"]),
        ("Hydronephrosis: left\nThe spleen is large", ["Hydronephrosis: left", "The spleen is large"]),
        ("[ ] Colitis\n[x] hernia", ["[ ] Colitis", "[x] hernia"]),
        ("Hernia? N\nColitis? Yes. Ascites? No", ["Hernia? N", "Colitis? Yes.", "Ascites? No"]),
        ("Colitis\nNo\nHernia\nYes", ["Colitis\nNo", "Hernia\nYes"]),
        ("Colitis: No. 2 cysts in the liver.", ["Colitis: No.", "2 cysts in the liver."]),
        ("Colitis ..... no\nHernia ... yes", ["Colitis ..... no", "Hernia ... yes"]),
        ("A cyst in the left\nkidney: 5 mm", ["A cyst in the left\nkidney: 5 mm"]),
        ("Small vessel disease? Airway disease?", ["Small vessel disease?", "Airway disease?"]),
    ],
)
def test_where_the_lines_of_a_form_end(text: str, statements: list[str]) -> None:
    assert [text[start:end] for start, end in split_statements(text)] == statements


def test_the_examples_of_the_docs_are_read_so() -> None:
    rows = re.findall(r"^\| `(.+)` \| (.+) \|$", (ROOT / "docs/forms.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 20
    for line, sentences in rows:
        expected = [] if sentences == "nothing" else sentences.split(" · ")
        assert plain(line.replace("\\|", "|")) == expected, line
