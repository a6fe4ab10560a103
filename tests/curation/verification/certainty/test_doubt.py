"""Doubt: a caption may say what its report only suspects with as much doubt or more, and never with less."""

from __future__ import annotations

from functools import cache

import pytest

from curation.verification.verifier import Verifier


@cache
def verifier() -> Verifier:
    return Verifier()


def is_accepted(report: str, organ: str, caption: str) -> bool:
    return verifier().verify(verifier().read(report), organ, caption).accepted


AS_DOUBTFUL = [
    ("Hepatic abscess is unlikely.", "liver", "Hepatic abscess is considered unlikely."),
    ("Hepatic abscess is unlikely.", "liver", "Hepatic abscess is less likely."),
    ("Hepatic hemangioma is favored.", "liver", "Likely hepatic hemangioma."),
    ("Favoured to represent a hepatic hemangioma.", "liver", "Probable hepatic hemangioma."),
    ("The splenic lesion is suggestive of lymphoma.", "spleen", "Splenic lesion, possibly lymphoma."),
    ("The splenic lesion is worrisome for lymphoma.", "spleen", "Splenic lesion concerning for lymphoma."),
    ("The splenic lesion is consistent with lymphoma.", "spleen", "Splenic lesion, likely lymphoma."),
    ("The splenic lesion is consistent with lymphoma.", "spleen", "Splenic lesion, possibly lymphoma."),
    ("The splenic lesion likely represents lymphoma.", "spleen", "Probable splenic lymphoma."),
    ("The splenic lesion likely represents lymphoma.", "spleen", "Splenic lesion compatible with lymphoma."),
    ("The splenic lesion most likely also represents lymphoma.", "spleen", "Splenic lesion, most likely lymphoma."),
    ("Presumably a hepatic cyst.", "liver", "Likely hepatic cyst."),
    ("In the liver there are possible cysts.", "liver", "Possible hepatic cysts."),
    ("The liver appears to be cirrhotic.", "liver", "The liver is cirrhotic."),
    ("Liver lesion thought to be a hemangioma.", "liver", "Liver lesion, probably a hemangioma."),
    ("No concern for hepatic metastasis.", "liver", "No hepatic metastasis."),
    ("A liver cyst can be seen.", "liver", "Liver cyst."),
    ("The liver is enlarged and may be fatty.", "liver", "Enlarged liver."),
    ("Left renal mass, suspicious for malignancy.", "left kidney", "Left renal mass."),
    ("Left renal mass is present, possibly a lipoma.", "left kidney", "Left renal mass."),
    ("Nodule in the left lung, malignancy not excluded.", "left lung", "Nodule in the left lung."),
]
"""Report, organ and a caption that doubts as the report does, or more."""


@pytest.mark.parametrize(("report", "organ", "caption"), AS_DOUBTFUL)
def test_as_much_doubt_is_kept(report: str, organ: str, caption: str) -> None:
    assert is_accepted(report, organ, caption)


MORE_CERTAIN = [
    ("Concern for renal cell carcinoma in the left kidney.", "left kidney", "Renal cell carcinoma in the left kidney."),
    ("Concern was raised for colonic perforation.", "colon", "Colonic perforation."),
    ("Findings raise the concern of splenic lymphoma.", "spleen", "Splenic lymphoma."),
    ("Raises the possibility of hepatic steatosis.", "liver", "Hepatic steatosis."),
    ("There is a possibility of hepatic cirrhosis.", "liver", "Hepatic cirrhosis."),
    ("Correlate for pyelonephritis.", "kidneys", "Pyelonephritis."),
    ("Clinically correlate for gastritis.", "stomach", "Gastritis."),
    ("Evaluate for hepatic abscess.", "liver", "Hepatic abscess."),
    ("Further evaluation for pancreatic mass is advised.", "pancreas", "Pancreatic mass."),
    ("Rule out splenic infarct.", "spleen", "Splenic infarct."),
    ("R/O splenic infarct.", "spleen", "Splenic infarct."),
    ("Exclude appendicitis.", "appendix", "Appendicitis."),
    ("Please rule out bladder tumor.", "urinary bladder", "Bladder tumor."),
    ("MRI to exclude hepatic metastasis.", "liver", "Hepatic metastasis."),
    ("Question of gastric ulcer.", "stomach", "Gastric ulcer."),
    ("Query small splenic cyst.", "spleen", "Small splenic cyst."),
    ("? splenic cyst.", "spleen", "Splenic cyst."),
    ("Pneumonia versus atelectasis in the right lower lobe.", "right lower lobe", "Pneumonia in the right lower lobe."),
    (
        "Pneumonia versus atelectasis in the right lower lobe.",
        "right lower lobe",
        "Atelectasis in the right lower lobe.",
    ),
    ("Pneumonia vs. atelectasis in the right lower lobe.", "right lower lobe", "Pneumonia in the right lower lobe."),
    ("Focal fat vs. a hemangioma in the liver.", "liver", "Hemangioma in the liver."),
    ("Renal cyst is less likely.", "kidneys", "Renal cyst."),
    ("Less likely, renal abscess.", "kidneys", "Renal abscess."),
    ("Hepatic abscess is considered less likely.", "liver", "Hepatic abscess."),
    ("Hepatic abscess is felt to be unlikely.", "liver", "Hepatic abscess."),
    ("Hepatic abscess is thought unlikely.", "liver", "Hepatic abscess."),
    ("Hepatic abscess is unlikely.", "liver", "Likely hepatic abscess."),
    ("Hepatic hemangioma favored over metastasis.", "liver", "Hepatic metastasis."),
    ("Hepatic hemangioma favored over metastasis.", "liver", "Hepatic hemangioma."),
    ("Hepatic hemangioma is favored.", "liver", "Hepatic hemangioma."),
    ("Favor hepatic hemangioma.", "liver", "Hepatic hemangioma."),
    ("Renal oncocytoma is in the differential.", "kidneys", "Renal oncocytoma."),
    ("The differential includes renal oncocytoma.", "kidneys", "Renal oncocytoma."),
    ("Differential considerations: renal oncocytoma or carcinoma.", "kidneys", "Renal oncocytoma."),
    ("Differential diagnosis would include renal oncocytoma.", "kidneys", "Renal oncocytoma."),
    ("Splenic lymphoma cannot be entirely excluded.", "spleen", "Splenic lymphoma."),
    ("Splenic lymphoma is not completely excluded.", "spleen", "Splenic lymphoma."),
    ("Splenic lymphoma is difficult to exclude.", "spleen", "Splenic lymphoma."),
    ("Splenic lymphoma is hard to rule out.", "spleen", "Splenic lymphoma."),
    ("Difficult to entirely exclude splenic lymphoma.", "spleen", "Splenic lymphoma."),
    ("We cannot confidently exclude splenic lymphoma.", "spleen", "Splenic lymphoma."),
    ("Would be unusual for splenic lymphoma.", "spleen", "Splenic lymphoma."),
    ("Atypical for splenic lymphoma.", "spleen", "Splenic lymphoma."),
    ("The spleen lesion may also represent lymphoma.", "spleen", "Splenic lymphoma."),
    ("The spleen lesion could well reflect lymphoma.", "spleen", "Splenic lymphoma."),
    ("The spleen lesion would be consistent with lymphoma.", "spleen", "Splenic lymphoma."),
    ("The splenic lesion might conceivably be due to lymphoma.", "spleen", "Splenic lymphoma."),
    ("The splenic lesion may possibly be lymphoma.", "spleen", "Likely splenic lymphoma."),
    ("The splenic lesion is suggestive of lymphoma.", "spleen", "Splenic lesion, consistent with lymphoma."),
    ("The splenic lesion is suspicious for lymphoma.", "spleen", "Splenic lesion, likely lymphoma."),
    ("The splenic lesion is consistent with lymphoma.", "spleen", "Splenic lymphoma."),
    ("The splenic lesion is possibly lymphoma.", "spleen", "Splenic lesion, likely lymphoma."),
    ("There is splenic lymphoma.", "spleen", "Possible splenic lymphoma."),
    ("There is splenic lymphoma.", "spleen", "Splenic lymphoma is unlikely."),
    ("Presumed hepatic cyst.", "liver", "Hepatic cyst."),
    ("Potentially a hepatic cyst.", "liver", "Hepatic cyst."),
    ("Minimal splenic hematoma, if any.", "spleen", "Splenic hematoma."),
    ("Equivocal thickening of the gallbladder wall.", "gallbladder", "Thickening of the gallbladder wall."),
    ("Gallbladder wall thickening is equivocal.", "gallbladder", "Gallbladder wall thickening."),
    ("Indeterminate for bladder tumor.", "urinary bladder", "Bladder tumor."),
    ("Bladder at risk of perforation.", "urinary bladder", "Bladder perforation."),
    ("Threatened rupture of the abdominal aorta.", "abdominal aorta", "Rupture of the abdominal aorta."),
    ("Impending rupture of the abdominal aorta.", "abdominal aorta", "Rupture of the abdominal aorta."),
    ("Suspicious for pneumonia and empyema.", "lungs", "Pneumonia."),
    ("Suspicious for hepatic cirrhosis and steatosis.", "liver", "Hepatic steatosis."),
    ("There are possible cysts in the liver.", "liver", "Cysts in the liver."),
    ("In the liver there is possible steatosis.", "liver", "Hepatic steatosis."),
    ("It is possible that the liver is cirrhotic.", "liver", "The liver is cirrhotic."),
    ("Liver lesion believed to be a hemangioma.", "liver", "Liver hemangioma."),
    ("Low suspicion for hepatic metastasis.", "liver", "Hepatic metastasis."),
    ("No suspicion of hepatic metastasis.", "liver", "Hepatic metastasis."),
    ("Hepatic steatosis should be considered.", "liver", "Hepatic steatosis."),
    ("Consider hepatic steatosis.", "liver", "Hepatic steatosis."),
    ("Hepatic steatosis is a consideration.", "liver", "Hepatic steatosis."),
    ("Hepatic steatosis remains a possibility.", "liver", "Hepatic steatosis."),
    ("Could this be hepatic steatosis?", "liver", "Hepatic steatosis."),
    ("This may be on the basis of hepatic steatosis.", "liver", "Hepatic steatosis."),
    ("It is unclear whether there is hepatic steatosis.", "liver", "Hepatic steatosis."),
    ("Cannot distinguish hepatic cyst from hemangioma.", "liver", "Hepatic cyst."),
    ("The gallbladder wall may be thickened.", "gallbladder", "Thickened gallbladder wall."),
    ("Pancreatic mass, adenocarcinoma until proven otherwise.", "pancreas", "Pancreatic adenocarcinoma."),
]
"""Report, organ and a caption that is more certain than the report, or doubts what it states."""


@pytest.mark.parametrize(("report", "organ", "caption"), MORE_CERTAIN)
def test_less_doubt_is_refused(report: str, organ: str, caption: str) -> None:
    assert not is_accepted(report, organ, caption)


RANKS = [
    ("{} in the spleen is unlikely.", "unlikely"),
    ("Possible {} in the spleen.", "low"),
    ("{} in the spleen cannot be excluded.", "low"),
    ("Suspicious for {} in the spleen.", "low"),
    ("Likely {} in the spleen.", "high"),
    ("Probable {} in the spleen.", "high"),
    ("Consistent with {} in the spleen.", "high"),
    ("{} in the spleen.", "stated"),
]
FOLLOWS = {("high", "high"), ("high", "low"), ("low", "low"), ("unlikely", "unlikely"), ("stated", "stated")}


@pytest.mark.parametrize(("evidence", "evidence_rank"), RANKS)
@pytest.mark.parametrize(("caption", "caption_rank"), RANKS)
@pytest.mark.parametrize("finding", ["infarct", "lymphoma"])
def test_ranks_of_doubt(evidence: str, evidence_rank: str, caption: str, caption_rank: str, finding: str) -> None:
    accepted = is_accepted(evidence.format(finding), "spleen", caption.format(finding))
    assert accepted == ((evidence_rank, caption_rank) in FOLLOWS)


@pytest.mark.parametrize(
    ("report", "caption"),
    [
        ("Stranding due to prior surgery cannot be excluded.", "Stranding due to prior surgery."),
        ("A triangular density secondary to scarring cannot be excluded.", "Triangular density secondary to scarring."),
        ("Wall thickening caused by reflux is suspected.", "Wall thickening caused by reflux."),
    ],
)
def test_doubt_behind_a_reason_is_about_what_the_reason_belongs_to(report: str, caption: str) -> None:
    assert not is_accepted(f"Stomach: {report}", "stomach", caption)
    assert is_accepted(f"Stomach: {report}", "stomach", report)
