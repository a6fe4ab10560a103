"""How far a denial reaches: over a list, and not into a finding of its own behind it."""

from __future__ import annotations

import pytest

from ..caption_cases import assert_accepted, verify

WITHIN = [
    (
        "No calculus in the left kidney, 8 mm calculus in the right kidney.",
        "right kidney",
        "8 mm calculus in the right kidney.",
    ),
    (
        "No calculus in the left kidney, 8 mm calculus in the right kidney.",
        "left kidney",
        "No calculus in the left kidney.",
    ),
    ("No pneumothorax, small right pleural effusion.", "right pleura", "Small right pleural effusion."),
    (
        "No dissection, mild aneurysmal dilatation of the thoracic aorta.",
        "thoracic aorta",
        "Mild aneurysmal dilatation of the thoracic aorta.",
    ),
    ("No liver mass, cyst or abscess.", "liver", "No liver abscess."),
    ("No liver mass, cyst, abscess.", "liver", "No liver cyst."),
    ("No focal consolidation, pleural effusion, or pneumothorax in either lung.", "lungs", "No focal consolidation."),
    ("No focal consolidation, pleural effusion, or pneumothorax in either lung.", "pleura", "No pleural effusion."),
    ("No hydronephrosis, a tiny cyst in the left kidney.", "left kidney", "Tiny cyst in the left kidney."),
    ("No liver lesion, three cysts in the spleen.", "spleen", "Three cysts in the spleen."),
    ("Without hydronephrosis, 4 mm stone in the left kidney.", "left kidney", "4 mm stone in the left kidney."),
    ("Small right pleural effusion, consolidation was not observed.", "right pleura", "Small right pleural effusion."),
    ("Pneumothorax, pleural effusion was not observed.", "pleura", "No pneumothorax."),
    ("We don't see any splenic lesion.", "spleen", "No splenic lesion."),
    ("The spleen isn't enlarged.", "spleen", "The spleen is not enlarged."),
    ("I can't identify a renal stone.", "kidneys", "No renal stone."),
    ("The aorta is nonaneurysmal.", "aorta", "The aorta is not aneurysmal."),
    ("The aorta is non-aneurysmal.", "aorta", "The aorta is not aneurysmal."),
    ("The liver is non cirrhotic.", "liver", "The liver is not cirrhotic."),
    ("Non-obstructing stone in the left kidney.", "left kidney", "Stone in the left kidney."),
    ("Nonobstructing stone in the left kidney.", "left kidney", "Non-obstructing stone in the left kidney."),
    ("Nonenhancing cyst in the liver.", "liver", "Liver cyst."),
    ("The bile ducts are nondilated.", "bile ducts", "The bile ducts are not dilated."),
    ("The bile ducts are not dilated.", "bile ducts", "Nondilated bile ducts."),
    ("CT fails to show a splenic lesion.", "spleen", "No splenic lesion."),
    ("Negative for splenic lesion.", "spleen", "No splenic lesion."),
    ("The spleen is free of lesions.", "spleen", "No splenic lesions."),
    ("Absence of splenic calcification.", "spleen", "No splenic calcification."),
    ("There is nothing to suggest splenic rupture.", "spleen", "No splenic rupture."),
    ("No gallstones and mild gallbladder wall thickening.", "gallbladder", "Mild gallbladder wall thickening."),
    ("No consolidation, large left pleural effusion.", "left pleura", "Large left pleural effusion."),
    (
        "No ureteral stone, moderate hydronephrosis of the right kidney.",
        "right kidney",
        "Moderate hydronephrosis of the right kidney.",
    ),
    ("No pericardial effusion, 12 mm pericardial cyst.", "pericardium", "12 mm pericardial cyst."),
    ("No lymphadenopathy, stable 8 mm left adrenal nodule.", "left adrenal gland", "Stable 8 mm left adrenal nodule."),
    ("No acute fracture, old fracture of the left clavicle.", "left clavicle", "Old fracture of the left clavicle."),
    ("No hepatic mass, ductal dilatation, or cirrhosis.", "liver", "No cirrhosis."),
    ("No ascites, the spleen is enlarged.", "spleen", "Enlarged spleen."),
    ("Without gallstones, spleen normal in size.", "spleen", "The spleen is normal in size."),
    ("No renal calculi, two cysts in the right kidney.", "right kidney", "Two cysts in the right kidney."),
    (
        "No renal mass larger than 1 cm, several cysts in the left kidney.",
        "left kidney",
        "Several cysts in the left kidney.",
    ),
    ("No splenic or hepatic lesion, trace ascites.", "peritoneum", "Trace ascites."),
    ("No pneumothorax, and a small effusion in the left pleura.", "left pleura", "Small effusion in the left pleura."),
    ("Mild ascites, hepatic lesion was not seen.", "peritoneum", "Mild ascites."),
    ("No focal liver lesion, normal size of the liver.", "liver", "Normal size of the liver."),
    ("The gallbladder is non-inflamed.", "gallbladder", "The gallbladder is not inflamed."),
    ("Nonperforated appendicitis.", "appendix", "Appendicitis."),
    ("Nonperforated appendicitis.", "appendix", "Appendicitis without perforation."),
    ("There aren't any renal stones.", "kidneys", "No renal stones."),
    ("The spleen doesn't appear enlarged.", "spleen", "The spleen is not enlarged."),
]
"""Report, organ and a caption that reads the reach of the denial right."""

BEYOND = [
    (
        "No calculus in the left kidney, 8 mm calculus in the right kidney.",
        "right kidney",
        "No calculus in the right kidney.",
    ),
    ("No pneumothorax, small right pleural effusion.", "right pleura", "No pleural effusion."),
    ("No liver mass, cyst or abscess.", "liver", "Liver cyst."),
    ("No liver mass, cyst, abscess.", "liver", "Liver abscess."),
    ("No fracture, lytic lesion.", "bones", "Lytic lesion."),
    ("No large liver mass, large cyst or abscess.", "liver", "Large liver cyst."),
    (
        "No significant stenosis, significant calcification of the aorta.",
        "aorta",
        "Significant calcification of the aorta.",
    ),
    ("No splenic nodule larger than 5 mm, cyst or mass.", "spleen", "Splenic cyst."),
    ("No enlarged nodes, >1 cm, in the mediastinum.", "mediastinum", "Enlarged nodes in the mediastinum."),
    ("Pneumothorax, pleural effusion was not observed.", "pleura", "Pneumothorax."),
    ("We do not see any splenic lesion.", "spleen", "Splenic lesion."),
    ("The spleen isn't enlarged.", "spleen", "Enlarged spleen."),
    ("I can't identify a renal stone.", "kidneys", "Renal stone."),
    ("The aorta is nonaneurysmal.", "aorta", "Aneurysmal aorta."),
    ("The liver is non-cirrhotic.", "liver", "Cirrhotic liver."),
    ("Nonobstructing stone in the left kidney.", "left kidney", "Obstructing stone in the left kidney."),
    ("Nonenhancing cyst in the liver.", "liver", "Enhancing cyst in the liver."),
    ("The bile ducts are nondilated.", "bile ducts", "Dilated bile ducts."),
    ("Nonthrombosed portal vein.", "portal vein", "Thrombosed portal vein."),
    ("Neither splenic nor hepatic lesion.", "spleen", "Splenic lesion."),
    ("The spleen is devoid of calcification.", "spleen", "Splenic calcification."),
    ("Splenic calcification is absent.", "spleen", "Splenic calcification."),
    ("No acute infarct, chronic small vessel disease.", "brain", "No chronic small vessel disease."),
    ("No gallstones, pericholecystic fluid or wall thickening.", "gallbladder", "Gallbladder wall thickening."),
    ("No gallstones, and no biliary dilatation.", "gallbladder", "Gallstones."),
    ("No splenic or hepatic lesion, trace ascites.", "peritoneum", "No ascites."),
    ("No mass, nodule, effusion.", "pleura", "Effusion."),
    ("Hepatic lesion, splenic lesion was not seen.", "liver", "Hepatic lesion."),
    ("No mild, moderate or severe hydronephrosis.", "kidneys", "Moderate hydronephrosis."),
    ("No small or large bowel obstruction.", "bowel", "Large bowel obstruction."),
    ("The pancreas is nonenlarged.", "pancreas", "The pancreas is enlarged."),
    ("The nodes are non-enlarged.", "lymph nodes", "Enlarged lymph nodes."),
    ("Nonobstructive calculus in the right kidney.", "right kidney", "Obstructive calculus in the right kidney."),
    ("The gallbladder is noninflamed.", "gallbladder", "Inflamed gallbladder."),
    ("Nonperforated appendicitis.", "appendix", "Perforated appendicitis."),
    ("Nonhemorrhagic pleural effusion on the left.", "left pleura", "Hemorrhagic pleural effusion on the left."),
    ("The thrombus is nonocclusive in the portal vein.", "portal vein", "Occlusive thrombus in the portal vein."),
    ("The appendix is not dilated.", "appendix", "Dilated appendix."),
    ("Pelvis without any evidence for abscess.", "peritoneum", "Pelvic abscess."),
    ("No suspicion for abscess is raised in the spleen.", "spleen", "Splenic abscess."),
    ("The uterus hasn't enlarged.", "uterus", "Enlarged uterus."),
    ("We couldn't identify any splenic lesion.", "spleen", "Splenic lesion."),
    ("No partial bowel obstruction is suspected.", "bowel", "Partial bowel obstruction."),
]
"""Report, organ and a caption that takes the denial too far or not far enough."""


@pytest.mark.parametrize(("report", "organ", "caption"), WITHIN)
def test_what_a_denial_reaches_is_denied_and_no_more(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)


@pytest.mark.parametrize(("report", "organ", "caption"), BEYOND)
def test_a_caption_that_stretches_or_cuts_a_denial_is_refused(report: str, organ: str, caption: str) -> None:
    assert not verify(report, organ, caption).accepted
