"""The sentences for normal organs, by topic, in the three manners of `phrases`."""

from examples.phantoms.phrases import Bank

NORMAL: dict[str, Bank] = {
    "lungs": {
        "translated": (
            "No nodular or infiltrative lesion is detected in both lung parenchyma.",
            "Both lungs are natural, no mass was observed.",
        ),
        "full": (
            "The lungs are clear.",
            "There is no consolidation or nodule in either lung.",
            "Both lungs are clear.",
            "The lungs are free of consolidation and nodules.",
        ),
        "terse": ("Lungs clear.", "No lung nodule or consolidation."),
    },
    "trachea": {
        "translated": (
            "The trachea is open, no obstructive pathology is detected.",
            "Trachea is in the midline and open.",
        ),
        "full": ("The trachea is patent.", "The trachea is normal in caliber."),
        "terse": ("Trachea patent.", "Trachea normal."),
    },
    "pleura": {
        "translated": ("Pleural effusion was not observed.", "No pleural effusion is detected."),
        "full": ("There is no pleural effusion.", "No pleural effusion is seen on either side."),
        "terse": ("No pleural effusion.", "Pleura normal."),
    },
    "heart": {
        "translated": ("Heart size is normal.", "Heart contour and size are natural.", "The heart is natural in size."),
        "full": ("The heart is normal in size.", "The heart is not enlarged."),
        "terse": ("Heart normal.", "Normal heart size."),
    },
    "pericardium": {
        "translated": ("Pericardial effusion was not observed.", "No pericardial effusion is detected."),
        "full": ("There is no pericardial effusion.", "No pericardial effusion is seen."),
        "terse": ("No pericardial effusion.", "Pericardium normal."),
    },
    "esophagus": {
        "translated": ("The esophagus is within normal limits.", "No wall thickening is observed in the esophagus."),
        "full": ("The esophagus is unremarkable.", "The esophagus is normal."),
        "terse": ("Esophagus normal.", "Esophagus unremarkable."),
    },
    "aorta": {
        "translated": (
            "The diameter of the aorta is normal.",
            "Calibration of the aorta is natural.",
            "No aneurysm is detected in the aorta.",
        ),
        "full": ("The aorta is normal in caliber.", "There is no aortic aneurysm."),
        "terse": ("Aorta normal caliber.", "No aortic aneurysm."),
    },
    "inferior_vena_cava": {
        "translated": ("The inferior vena cava is natural.", "Inferior vena cava is within normal limits."),
        "full": ("The inferior vena cava is unremarkable.", "The inferior vena cava is patent."),
        "terse": ("Inferior vena cava normal.", "IVC patent."),
    },
    "liver": {
        "translated": (
            "Liver size and parenchyma density are normal.",
            "No pathology is detected in the liver.",
            "Liver contour and size are natural, no mass was observed.",
        ),
        "full": (
            "The liver is normal in size and attenuation.",
            "The liver is unremarkable.",
            "No focal liver lesion is seen.",
            "The liver is normal.",
        ),
        "terse": ("Liver normal.", "Liver unremarkable.", "No focal liver lesion."),
    },
    "gallbladder": {
        "translated": ("The gallbladder is natural.", "No stone is detected in the gallbladder."),
        "full": ("The gallbladder is unremarkable.", "No gallstones are seen.", "The gallbladder is normal."),
        "terse": ("Gallbladder normal.", "No gallstones."),
    },
    "spleen": {
        "translated": ("Spleen size is normal.", "No pathology is detected in the spleen.", "The spleen is natural."),
        "full": ("The spleen is normal in size.", "The spleen is unremarkable.", "The spleen is normal."),
        "terse": ("Spleen normal.", "Spleen unremarkable."),
    },
    "pancreas": {
        "translated": ("The pancreas is natural.", "No mass is detected in the pancreas."),
        "full": ("The pancreas is unremarkable.", "The pancreas is normal.", "There is no pancreatic mass."),
        "terse": ("Pancreas normal.", "Pancreas unremarkable."),
    },
    "kidneys": {
        "translated": (
            "Both kidneys are natural in size.",
            "No stone or mass is detected in both kidneys.",
            "Size and parenchyma of both kidneys are normal.",
        ),
        "full": (
            "Both kidneys are unremarkable.",
            "The kidneys are normal, without stones or hydronephrosis.",
            "Both kidneys are normal in size.",
        ),
        "terse": ("Kidneys normal.", "Both kidneys unremarkable."),
    },
    "kidney_left": {
        "translated": ("The left kidney is natural.", "No pathology is detected in the left kidney."),
        "full": ("The left kidney is normal.", "The left kidney is unremarkable."),
        "terse": ("Left kidney normal.", "Left kidney unremarkable."),
    },
    "kidney_right": {
        "translated": ("The right kidney is natural.", "No pathology is detected in the right kidney."),
        "full": ("The right kidney is normal.", "The right kidney is unremarkable."),
        "terse": ("Right kidney normal.", "Right kidney unremarkable."),
    },
    "stomach": {
        "translated": ("The stomach is natural.", "No wall thickening is observed in the stomach."),
        "full": ("The stomach is unremarkable.", "The stomach is normal."),
        "terse": ("Stomach normal.", "Stomach unremarkable."),
    },
    "urinary_bladder": {
        "translated": ("The urinary bladder is natural.", "Bladder contours are natural, no mass was observed."),
        "full": ("The urinary bladder is unremarkable.", "The bladder is normal."),
        "terse": ("Bladder normal.", "Urinary bladder unremarkable."),
    },
    "lobe": {
        "translated": ("No nodule or consolidation is detected in the {lobe}.", "The {lobe} is natural."),
        "full": ("The {lobe} is clear.", "No nodule is seen in the {lobe}."),
        "terse": ("{Lobe} clear.", "No nodule in the {lobe}."),
    },
    "other pleura": {
        "translated": ("Pleural effusion was not observed on the {side}.", "No {side} pleural effusion is detected."),
        "full": ("There is no {side} pleural effusion.", "No {side} pleural effusion."),
        "terse": ("No {side} pleural effusion.", "{Side} pleura normal."),
    },
    "lymph nodes": {
        "translated": ("No enlarged lymph nodes are detected.", "Lymph nodes in pathological size were not observed."),
        "full": ("There are no enlarged lymph nodes.", "No lymphadenopathy."),
        "terse": ("No enlarged lymph nodes.", "No lymphadenopathy."),
    },
    "thoracic spine": {
        "translated": (
            "Thoracic vertebral corpus heights are preserved.",
            "No fracture is detected in the thoracic vertebrae.",
        ),
        "full": ("The thoracic vertebral bodies are normal in height.", "There is no thoracic vertebral fracture."),
        "terse": ("No thoracic vertebral fracture.", "Thoracic spine normal."),
    },
    "ribs": {
        "translated": ("No fracture or destructive lesion is detected in the ribs.", "The ribs are natural."),
        "full": ("The ribs are unremarkable.", "There is no rib fracture."),
        "terse": ("No rib fracture.", "Ribs normal."),
    },
    "autochthon": {
        "translated": ("Paraspinal muscles are natural.", "No pathology is detected in the paraspinal muscles."),
        "full": ("The paraspinal muscles are unremarkable.", "The paraspinal muscles are normal."),
        "terse": ("Paraspinal muscles normal.", "Paraspinal muscles unremarkable."),
    },
    "peritoneum": {
        "translated": ("No free fluid is detected in the abdomen.", "Ascites was not observed."),
        "full": ("There is no ascites.", "No free fluid is seen in the abdomen."),
        "terse": ("No ascites.", "No free fluid in the abdomen."),
    },
    "lumbar spine": {
        "translated": (
            "Lumbar vertebral corpus heights are preserved.",
            "No fracture is detected in the lumbar vertebrae.",
        ),
        "full": ("The lumbar vertebral bodies are normal in height.", "There is no lumbar vertebral fracture."),
        "terse": ("No lumbar fracture.", "Lumbar spine normal."),
    },
    "pelvic bones": {
        "translated": ("Bone structures of the pelvis are natural.", "The sacrum and hip bones are natural."),
        "full": ("The sacrum and the iliac bones are unremarkable.", "The bony pelvis is unremarkable."),
        "terse": ("Bony pelvis normal.", "Sacrum and iliac bones normal."),
    },
    "iliopsoas": {
        "translated": ("Both iliopsoas muscles are natural.", "No pathology is detected in both psoas muscles."),
        "full": ("The psoas muscles are symmetrical and normal.", "Both psoas muscles are unremarkable."),
        "terse": ("Psoas muscles normal.", "Psoas muscles unremarkable."),
    },
}
