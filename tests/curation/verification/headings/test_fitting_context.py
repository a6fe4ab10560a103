"""Dictated prose: what the next sentence is about, what was so until now, and cut wordings that lost their subject."""

from __future__ import annotations

import re
from functools import cache

import pytest

from curation.engines.rules import RulesEngine
from curation.readers.sections import split_sections
from curation.verification.verifier import Verifier


@cache
def engine() -> RulesEngine:
    return RulesEngine(Verifier())


def captions(text: str) -> set[tuple[str, str, str]]:
    text = f"FINDINGS: {text}"
    drafts = engine().drafts(engine().verifier.read(text, split_sections(text)))
    status = engine().verifier.status
    return {(draft.organ, status(draft.caption, draft.organ), draft.caption) for draft in drafts}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a finding goes on about the organ that it occurs in, or about the whole of which a part was named
        ("Old infarct of the left thalamus. No herniation.", ("brain", "normal", "Brain: no herniation")),
        ("The third ventricle is small. No shift.", ("brain", "normal", "Brain: no shift")),
        ("Plugging of the left main bronchus. No effusion.", ("pleura", "normal", "Pleura: no effusion")),
        (
            "Aneurysm of the abdominal aorta. It begins below the lowest renal artery. Mural thrombus is seen.",
            ("abdominal aorta", "abnormal", "Abdominal aorta: mural thrombus is seen"),
        ),
        (
            "Renal arteries are single. There is a 50% stenosis of the left, and the right is patent.",
            ("right renal artery", "normal", "Right renal artery: the right is patent"),
        ),
        # what was so until now
        (
            "The azygos vein, which was distended, is now of normal caliber.",
            ("azygos vein", "normal", "The azygos vein, which was distended, is now of normal caliber"),
        ),
        # a quality that is called normal
        (
            "The thymus is prominent, which is normal for age.",
            ("thymus", "normal", "The thymus is prominent, which is normal for age"),
        ),
        # what is new at a place stands for itself behind a denial
        (
            "No hemorrhage, new edema in the left thalamus.",
            ("left thalamus", "abnormal", "No hemorrhage, new edema in the left thalamus"),
        ),
        # asides, ratios, ordinals apart from their noun, a side elsewhere
        (
            "Contusion is seen in the right upper lobe and, to a lesser degree, the right lower lobe.",
            ("right lower lobe", "abnormal", "Contusion is seen in the right lower lobe"),
        ),
        (
            "Old fractures of the left lateral sixth and seventh ribs.",
            ("left 7th rib", "abnormal", "Old fractures of the left lateral sixth and seventh ribs"),
        ),
        (
            "A moderate left pneumothorax persists despite this.",
            ("left pleura", "abnormal", "Left pleura: a moderate left pneumothorax persists"),
        ),
        ("The gallbladder's been taken out.", ("gallbladder", "abnormal", "The gallbladder has been taken out")),
        ("Right femoral DVT.", ("right femoral vein", "abnormal", "Right femoral DVT")),
        (
            "A right level III node measuring 1.2 cm is equivocal.",
            ("lymph nodes", "uncertain", "A right level III node measuring 1.2 cm is equivocal"),
        ),
    ],
)
def test_caption(text: str, expected: tuple[str, str, str]) -> None:
    assert expected in captions(text), captions(text)


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("The splenic vein is narrowed, while the portal vein is patent. No pseudoaneurysm.", "portal vein: no"),
        ("Infarct of the left thalamus, and the right hippocampus is small. No herniation.", "hippocamp.*herniation"),
        ("The L5 vertebra is fused. A posterior collection has no gas.", "l5 vertebra: a posterior"),
        ("Gas in the bladder. No perforation.", "bladder: no perforation"),
        ("A nodule in the left lung. The patient tolerated the procedure well.", "tolerated"),
        ("The spinal canal is wide. Left-sided structures are normal.", "structures"),
        ("The spleen is large. Impression. Stones.", "spleen: impression"),
        ("The right kidney has a stone. The left kidney contains none.", "contains none"),
        ("There is an abscess in the liver. A drain was placed into it.", "into it"),
        ("Fracture of the left acetabulum, with the femoral head remaining located.", "^femoral heads"),
        ("The RV/LV ratio is 1.3.", "."),
        ("Chest radiograph in 3 hours.", "."),
        ("No injury to the duodenum or pancreatic head can be identified.", "no pancreatic head"),
        ("Three lesions in the brain. The dominant one is in the left parietal lobe.", "dominant one"),
        ("L2-3: Disc bulge. At L4-5 the canal is narrow. The foramina are patent.", "l2-3: the foramina"),
        ("In the lung bases, there is a nodule on the right.", "^left lung"),
        ("The humeral head abuts the glenoid, which shows no fracture.", "^humeral heads"),
    ],
)
def test_no_caption(text: str, never: str) -> None:
    rows = [f"{organ}\n{caption}" for organ, _, caption in captions(text)]
    assert not [row for row in rows if re.search(never, row, re.IGNORECASE | re.MULTILINE)], rows
