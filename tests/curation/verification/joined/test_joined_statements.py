"""Captions that draw on several statements of a report, and wrong merges of statements, which are refused."""

from __future__ import annotations

import pytest

from curation.readers.sections import split_sections

from ..caption_cases import read, verifier

NODULES = (
    "FINDINGS: A 12 mm lobulated nodule in the right lower lobe. A 4 mm nodule in the left upper lobe. The spleen is "
    "normal.\nIMPRESSION: Right lower lobe nodule, suspicious for adenocarcinoma."
)
KIDNEY = (
    "FINDINGS: There is a 3 cm cyst in the left kidney. The right kidney has a 9 mm stone. It is nonobstructing.\n"
    "IMPRESSION: Left renal cyst, unchanged."
)
NODES = "FINDINGS: Several mesenteric lymph nodes are seen. The largest measures 13 mm in short axis."
HERNIA = "FINDINGS: Large ventral hernia. The neck of the hernia measures 4 cm. The hernia contains loops of colon."
LIVER = (
    "FINDINGS: The liver is normal in size. No focal hepatic lesion. A hypodense lesion in the spleen. "
    "This lesion measures 2 cm and has calcified walls. The left adrenal gland is normal. The right adrenal gland is "
    "normal."
)
TWO_MASSES = (
    "FINDINGS: A 5 cm mass in the right kidney. A 2 cm mass in the left kidney. The mass has a calcified rim.\n"
    "IMPRESSION: Renal mass, suspicious for carcinoma."
)
LOOP = (
    "FINDINGS: A mildly thickened loop of distal ileum is present. Mesenteric edema surrounds this loop. Volume loss "
    "in the right middle lobe. At this level there is mucus plugging. The left lower lobe is clear."
)
HEDGED = (
    "FINDINGS: A 20 mm lesion in the pancreatic tail. No dilatation of the pancreatic duct.\n"
    "IMPRESSION: Possible lesion of the pancreatic tail, cystic. Follow-up in the pancreatic head."
)
SINUSES = (
    "FINDINGS: Moderate mucosal thickening in the right maxillary sinus. Marked mucosal thickening in the left "
    "sphenoid sinus. The right sphenoid sinus is hypoplastic. "
    "The right frontal sinus is hypoplastic. The left frontal "
    "sinus is clear."
)
CHANGED = (
    "FINDINGS: A 14 mm nodule in the left lower lobe. It previously measured 9 mm. A ground glass nodule in the "
    "lingula has resolved.\nIMPRESSION: Left lower lobe nodule, enlarged."
)

EFFUSIONS = (
    "FINDINGS: The pleural effusion measures 21 mm on the right. The pleural effusion measures 44 mm on the left. "
    "The largest of the nodules is in the left upper lobe and measures 4 mm. The largest of the nodules is in the "
    "right upper lobe and measures 11 mm. Reticular changes in the left lower lobe.\nIMPRESSION: Changes in both lungs."
)
THYROID = (
    "FINDINGS: An 8 mm solid nodule with posterior extension was seen in the left lobe of the thyroid. A 25 mm solid "
    "nodule with posterior extension was seen in the right lobe of the thyroid. A mass in the left adrenal gland with "
    "fat, 30 mm, is stable. However, the size of the calcification has increased."
)
DENIED = (
    "FINDINGS: The spleen is homogeneous, and no focal lesion is seen. There is a residual lesion of 2 cm next to it."
)

CARRIED = [
    (NODULES, "lungs", "12 mm lobulated nodule in the right lower lobe, suspicious for adenocarcinoma."),
    (NODULES, "right lower lobe", "Lobulated right lower lobe nodule, suspicious for adenocarcinoma, 12 mm."),
    (KIDNEY, "left kidney", "Unchanged 3 cm left renal cyst."),
    (KIDNEY, "right kidney", "Nonobstructing 9 mm right renal stone."),
    (NODES, "lymph nodes", "Several mesenteric lymph nodes, the largest measuring 13 mm in short axis."),
    (NODES, "lymph nodes", "Several mesenteric lymph nodes, up to 13 mm."),
    (HERNIA, "abdominal wall", "Large ventral hernia containing loops of colon."),
    (LIVER, "liver", "Liver normal in size without focal lesion."),
    (LIVER, "spleen", "2 cm hypodense lesion in the spleen."),
    (LIVER, "adrenal glands", "The left and right adrenal glands are normal."),
    (LOOP, "mesentery", "Mesenteric edema surrounds the thickened loop of distal ileum."),
    (LOOP, "right middle lobe", "Mucus plugging in the right middle lobe."),
    (SINUSES, "paranasal sinuses", "Hypoplasia of the right sphenoid sinus and the right frontal sinus."),
    (CHANGED, "left lower lobe", "Enlarged 14 mm nodule in the left lower lobe."),
]

WRONG = [
    ("Both lungs show basal atelectasis. In the right upper lobe a 7 mm nodule.", "lungs", "Upper lobe atelectasis."),
    ("Diverticula of the colon. In the sigmoid colon a polyp.", "colon", "Sigmoid diverticula."),
    ("Emphysema in both lungs. In the left lower lobe a 4 mm nodule.", "lungs", "Lower lobe emphysema."),
    # the impression is about the other of two nodules
    (NODULES, "lungs", "4 mm nodule in the left upper lobe, suspicious for adenocarcinoma."),
    (NODULES, "left upper lobe", "Lobulated 4 mm nodule in the left upper lobe."),
    (NODULES, "right lower lobe", "4 mm nodule in the right lower lobe, suspicious for adenocarcinoma."),
    (NODULES, "lungs", "12 mm nodule in the right lower lobe, diagnostic of adenocarcinoma."),
    (NODULES, "lungs", "12 mm adenocarcinoma in the right lower lobe."),
    # of the other kidney
    (KIDNEY, "right kidney", "Unchanged 9 mm right renal stone."),
    (KIDNEY, "left kidney", "Nonobstructing left renal cyst."),
    (KIDNEY, "left kidney", "Unchanged 9 mm left renal cyst."),
    (KIDNEY, "right kidney", "3 cm cyst in the right kidney."),
    # the largest is one of them
    (NODES, "lymph nodes", "Several 13 mm mesenteric lymph nodes."),
    (NODES, "lymph nodes", "Mesenteric lymph nodes measuring 13 mm in short axis."),
    # the part is not the whole
    (HERNIA, "abdominal wall", "4 cm ventral hernia."),
    (HERNIA, "abdominal wall", "Ventral hernia measuring 4 cm."),
    (HERNIA, "abdominal wall", "Ventral hernia with a large neck."),
    # of another organ
    (LIVER, "spleen", "The spleen is normal in size."),
    (LIVER, "spleen", "Spleen without focal lesion."),
    (LIVER, "liver", "2 cm hypodense hepatic lesion."),
    (LIVER, "left adrenal gland", "2 cm lesion in the left adrenal gland."),
    # which of two is not known
    (TWO_MASSES, "right kidney", "5 cm mass in the right kidney, suspicious for carcinoma."),
    (TWO_MASSES, "left kidney", "2 cm mass in the left kidney, suspicious for carcinoma."),
    (TWO_MASSES, "right kidney", "5 cm mass in the right kidney with a calcified rim."),
    (TWO_MASSES, "kidneys", "5 cm renal mass with a calcified rim."),
    # what qualifies one thing does not qualify the other
    (LOOP, "mesentery", "Mild mesenteric edema surrounds the loop of distal ileum."),
    (LOOP, "left lower lobe", "Mucus plugging in the left lower lobe."),
    (LOOP, "mesentery", "Mesenteric edema surrounds the severely thickened loop of distal ileum."),
    # doubt and denial hold in each
    (HEDGED, "pancreas", "20 mm cystic lesion in the pancreatic tail."),
    (HEDGED, "pancreas", "20 mm lesion in the pancreatic head."),
    (HEDGED, "pancreas", "Dilated pancreatic duct with a 20 mm lesion in the pancreatic tail."),
    # grades of two places
    (SINUSES, "paranasal sinuses", "Moderate mucosal thickening of the right maxillary and left sphenoid sinuses."),
    (SINUSES, "paranasal sinuses", "Hypoplastic left sphenoid sinus with marked mucosal thickening."),
    (SINUSES, "paranasal sinuses", "Hypoplastic right maxillary sinus with moderate mucosal thickening."),
    (SINUSES, "paranasal sinuses", "Hypoplastic right and left frontal sinuses."),
    (SINUSES, "paranasal sinuses", "The right and left frontal sinuses are clear."),
    # time
    (CHANGED, "left lower lobe", "Enlarged 9 mm nodule in the left lower lobe."),
    (CHANGED, "lungs", "14 mm ground glass nodule in the left lower lobe."),
    (CHANGED, "lungs", "Enlarged ground glass nodule in the lingula."),
    # of the other side
    (EFFUSIONS, "right pleura", "The pleural effusion measures 44 mm on the right."),
    (EFFUSIONS, "left lung", "The largest of the nodules is in the left upper lobe and measures 11 mm."),
    (EFFUSIONS, "right lung", "Reticular changes in the right lower lobe."),
    (
        THYROID,
        "thyroid gland",
        "A 25 mm solid nodule with posterior extension was seen in the left lobe of the thyroid.",
    ),
    # of a part
    (THYROID, "left adrenal gland", "A mass in the left adrenal gland with fat, 30 mm, is increased."),
    # denied by one of them
    (DENIED, "spleen", "The spleen is homogeneous, and a focal lesion is seen."),
]


def _is_accepted(report: str, organ: str, caption: str) -> bool:
    return verifier().verify(read(report, *split_sections(report)), organ, caption).accepted


@pytest.mark.parametrize(("report", "organ", "caption"), CARRIED)
def test_statements_that_speak_of_one_thing_carry_a_caption_together(report: str, organ: str, caption: str) -> None:
    assert _is_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), WRONG)
def test_a_wrong_merge_of_statements_is_refused(report: str, organ: str, caption: str) -> None:
    assert not _is_accepted(report, organ, caption)
