"""Labels of the findings of phantoms, in CT-RATE's form: one column of 0 and 1 for each finding, by `ovct`'s names."""

import json
from collections.abc import Mapping

# Kinds of findings and what `ovct evaluate --findings` calls them; {Side} is Left or Right.
NAMES = {
    "enlarged_liver": "Hepatomegaly",
    "small_liver": "Small liver",
    "fatty_liver": "Hepatic steatosis",
    "liver_cyst": "Liver cyst",
    "liver_mass": "Liver mass",
    "splenomegaly": "Splenomegaly",
    "absent_spleen": "Splenectomy",
    "absent_gallbladder": "Cholecystectomy",
    "gallstone": "Gallstone",
    "renal_cyst": "{Side} renal cyst",
    "absent_kidney": "{Side} nephrectomy",
    "kidney_stone": "{Side} kidney stone",
    "hydronephrosis": "{Side} hydronephrosis",
    "pancreatic_mass": "Pancreatic mass",
    "ascites": "Ascites",
    "distended_bladder": "Distended bladder",
    "pleural_effusion": "{Side} pleural effusion",
    "lung_nodule": "Lung nodule",
    "consolidation": "Consolidation",
    "cardiomegaly": "Cardiomegaly",
    "pericardial_effusion": "Pericardial effusion",
    "compression_fracture": "Compression fracture",
    "aortic_aneurysm": "Aortic aneurysm",
}
COLUMNS = tuple(
    name.format(Side=side) for name in NAMES.values() for side in (("Left", "Right") if "{Side}" in name else ("",))
)


def finding_labels(truth: Mapping[str, str]) -> dict[str, str]:
    """Return the row of findings.csv of a row of truth.csv: 1 for what the scan shows, 0 for all else."""
    shown = {
        NAMES[finding["kind"]].format(Side=finding["side"].capitalize())
        for finding in json.loads(truth["findings"])
        if finding["shown"]
    }
    return {"VolumeName": f"{truth['id']}.nii.gz"} | {column: str(int(column in shown)) for column in COLUMNS}
