"""The sentences for each finding, as radiologists may write them, in three manners.

`translated` is English translated from another language, `full` is dictated, `terse` is telegram style. {side} is
left or right, {mm} and {cm} the size, {lobe} a lobe, {bone} a vertebra, {length} a length in mm.
"""

Manner = str
Bank = dict[Manner, tuple[str, ...]]

FINDINGS: dict[str, Bank] = {
    "enlarged_liver": {
        "translated": (
            "Liver dimensions are increased.",
            "The size of the liver is larger than normal.",
            "An increase in liver size is observed.",
            "Hepatomegaly is observed.",
        ),
        "full": ("The liver is enlarged.", "There is hepatomegaly.", "The liver is markedly enlarged."),
        "terse": ("Liver enlarged.", "Hepatomegaly.", "Enlarged liver."),
    },
    "small_liver": {
        "translated": (
            "Liver dimensions are decreased.",
            "The size of the liver is smaller than normal.",
            "A decrease in liver size is observed.",
        ),
        "full": ("The liver is small.", "The liver is reduced in size.", "The liver is shrunken."),
        "terse": ("Liver small.", "Small liver."),
    },
    "fatty_liver": {
        "translated": (
            "Liver parenchyma density is decreased in line with steatosis.",
            "A decrease in density consistent with hepatosteatosis is observed in the liver.",
            "Hepatosteatosis is observed in the liver.",
        ),
        "full": (
            "There is diffuse fatty infiltration of the liver.",
            "The liver shows hepatic steatosis.",
            "Diffusely decreased attenuation of the liver, consistent with steatosis.",
        ),
        "terse": ("Fatty liver.", "Hepatic steatosis.", "Diffuse hepatic steatosis."),
    },
    "liver_cyst": {
        "translated": (
            "A cyst of {mm} mm in diameter is observed in the liver.",
            "In the liver, a {mm} mm hypodense cyst was observed.",
            "A hypodense lesion of {mm} mm, evaluated as a cyst, is observed in the liver.",
        ),
        "full": (
            "There is a {mm} mm simple cyst in the liver.",
            "A {cm} cm hepatic cyst is present.",
            "The liver contains a cyst measuring {mm} mm.",
        ),
        "terse": ("Liver cyst, {mm} mm.", "{mm} mm hepatic cyst."),
    },
    "liver_mass": {
        "translated": (
            "A hypodense mass lesion of {mm} mm is observed in the liver.",
            "There is a hypodense lesion of {mm} mm in the liver parenchyma.",
        ),
        "full": (
            "There is a {mm} mm hypodense mass in the liver.",
            "A {cm} cm hypoattenuating liver lesion is present.",
            "The liver contains a hypodense mass measuring {mm} mm.",
        ),
        "terse": ("Hypodense liver lesion, {mm} mm.", "{mm} mm hypodense mass in the liver."),
    },
    "splenomegaly": {
        "translated": (
            "Spleen size is increased.",
            "The size of the spleen is larger than normal.",
            "Splenomegaly is observed.",
        ),
        "full": (
            "The spleen is enlarged.",
            "There is splenomegaly.",
            "The spleen is enlarged, measuring {length} mm in craniocaudal length.",
        ),
        "terse": ("Spleen enlarged.", "Splenomegaly.", "Enlarged spleen."),
    },
    "absent_spleen": {
        "translated": ("The spleen is not observed (operated).", "The spleen was not observed, splenectomy."),
        "full": ("The spleen is surgically absent.", "Status post splenectomy.", "The spleen is absent."),
        "terse": ("Spleen absent.", "Prior splenectomy."),
    },
    "absent_gallbladder": {
        "translated": (
            "The gallbladder is not observed (operated).",
            "The gallbladder was not observed, cholecystectomy.",
        ),
        "full": (
            "The gallbladder is surgically absent.",
            "Status post cholecystectomy.",
            "The gallbladder has been removed.",
        ),
        "terse": ("Gallbladder absent.", "Prior cholecystectomy."),
    },
    "gallstone": {
        "translated": (
            "A calculus of {mm} mm is observed in the gallbladder lumen.",
            "In the gallbladder, a stone of {mm} mm was observed.",
            "A {mm} mm stone is observed in the gallbladder.",
        ),
        "full": (
            "There is a {mm} mm gallstone.",
            "The gallbladder contains a {mm} mm stone.",
            "Cholelithiasis with a {mm} mm stone.",
        ),
        "terse": ("Gallstone, {mm} mm.", "{mm} mm stone in the gallbladder."),
    },
    "renal_cyst": {
        "translated": (
            "A cortical cyst of {mm} mm is observed in the {side} kidney.",
            "In the {side} kidney, a cyst of {mm} mm in diameter was observed.",
            "A simple cyst measuring {mm} mm is observed in the {side} kidney.",
        ),
        "full": (
            "There is a {mm} mm simple cyst in the {side} kidney.",
            "A {cm} cm cyst arises from the {side} kidney.",
            "The {side} kidney contains a {mm} mm cyst.",
        ),
        "terse": ("{Side} renal cyst, {mm} mm.", "{mm} mm cyst in the {side} kidney."),
    },
    "absent_kidney": {
        "translated": (
            "The {side} kidney is not observed (operated).",
            "The {side} kidney was not observed, nephrectomy.",
        ),
        "full": (
            "The {side} kidney is surgically absent.",
            "Status post {side} nephrectomy.",
            "The {side} kidney is absent.",
        ),
        "terse": ("{Side} kidney absent.", "Prior {side} nephrectomy."),
    },
    "kidney_stone": {
        "translated": (
            "A calculus of {mm} mm is observed in the {side} kidney.",
            "In the lower pole of the {side} kidney, a stone of {mm} mm was observed.",
        ),
        "full": (
            "There is a {mm} mm stone in the {side} kidney.",
            "A {mm} mm calculus is present in the {side} kidney.",
            "The {side} kidney contains a {mm} mm stone.",
        ),
        "terse": ("{Side} renal stone, {mm} mm.", "{mm} mm calculus in the {side} kidney."),
    },
    "hydronephrosis": {
        "translated": (
            "Hydronephrosis is observed in the {side} kidney.",
            "Grade 2 hydronephrosis is observed in the {side} kidney.",
        ),
        "full": ("There is {side} hydronephrosis.", "The {side} kidney is hydronephrotic."),
        "terse": ("{Side} hydronephrosis.", "Hydronephrosis of the {side} kidney."),
    },
    "pancreatic_mass": {
        "translated": (
            "A hypodense mass of {mm} mm is observed in the head of the pancreas.",
            "In the pancreatic head, a mass lesion of {mm} mm was observed.",
        ),
        "full": (
            "There is a {mm} mm mass in the head of the pancreas.",
            "A {cm} cm mass is present in the pancreatic head.",
            "The pancreas contains a {mm} mm hypodense mass.",
        ),
        "terse": ("Pancreatic head mass, {mm} mm.", "{mm} mm mass in the pancreatic head."),
    },
    "ascites": {
        "translated": (
            "Free fluid is observed in the abdomen.",
            "Ascites is observed in the abdominal cavity.",
            "Diffuse free fluid is observed in the abdomen.",
        ),
        "full": ("There is moderate ascites.", "Ascites is present.", "Free fluid is present in the abdomen."),
        "terse": ("Ascites.", "Moderate ascites."),
    },
    "distended_bladder": {
        "translated": ("The urinary bladder is overdistended.", "The bladder is overfilled and distended."),
        "full": ("The urinary bladder is markedly overdistended.", "The urinary bladder is enlarged and distended."),
        "terse": ("Bladder overdistended.", "Overdistended urinary bladder."),
    },
    "small_effusion": {
        "translated": (
            "A small amount of pleural effusion is observed on the {side}.",
            "Minimal {side} pleural effusion is observed.",
        ),
        "full": (
            "There is a small {side} pleural effusion.",
            "A small pleural effusion is present on the {side}.",
            "Small {side} pleural effusion is seen.",
        ),
        "terse": ("Small {side} pleural effusion.", "{Side} pleural effusion, small."),
    },
    "large_effusion": {
        "translated": (
            "A large amount of pleural effusion is observed on the {side}.",
            "Massive {side} pleural effusion is observed.",
        ),
        "full": (
            "There is a large {side} pleural effusion.",
            "A large pleural effusion is present on the {side}.",
            "Large {side} pleural effusion is seen.",
        ),
        "terse": ("Large {side} pleural effusion.", "{Side} pleural effusion, large."),
    },
    "lung_nodule": {
        "translated": (
            "A nodule of {mm} mm in diameter is observed in the {lobe}.",
            "In the {lobe}, a {mm} mm solid nodule was observed.",
        ),
        "full": (
            "There is a {mm} mm solid nodule in the {lobe}.",
            "A {mm} mm nodule is present in the {lobe}.",
            "A solid nodule measuring {mm} mm is seen in the {lobe}.",
        ),
        "terse": ("{mm} mm nodule, {lobe}.", "Solid nodule of {mm} mm in the {lobe}."),
    },
    "consolidation": {
        "translated": (
            "Consolidation is observed in the {lobe}.",
            "In the {lobe}, a consolidation area was observed.",
            "A consolidative area is observed in the {lobe}.",
        ),
        "full": (
            "There is consolidation in the {lobe}.",
            "Airspace consolidation is present in the {lobe}.",
            "The {lobe} shows consolidation.",
        ),
        "terse": ("Consolidation, {lobe}.", "{Lobe} consolidation."),
    },
    "cardiomegaly": {
        "translated": (
            "Heart size is increased.",
            "The size of the heart is larger than normal.",
            "Cardiomegaly is observed.",
        ),
        "full": ("The heart is enlarged.", "There is cardiomegaly."),
        "terse": ("Heart enlarged.", "Cardiomegaly.", "Enlarged heart."),
    },
    "pericardial_effusion": {
        "translated": (
            "Pericardial effusion of {mm} mm is observed.",
            "Effusion measuring {mm} mm is observed in the pericardium.",
        ),
        "full": ("There is a pericardial effusion measuring {mm} mm.", "A {mm} mm pericardial effusion is present."),
        "terse": ("Pericardial effusion, {mm} mm.", "{mm} mm pericardial effusion."),
    },
    "compression_fracture": {
        "translated": (
            "Height loss consistent with compression fracture is observed in the {bone} vertebra.",
            "A compression fracture is observed in the {bone} vertebral body.",
        ),
        "full": (
            "There is a compression fracture of {bone}.",
            "There is a compression fracture of the {bone} vertebral body.",
            "The {bone} vertebral body shows a compression fracture with loss of height.",
        ),
        "terse": ("{bone} compression fracture.", "Compression fracture of {bone}."),
    },
    "aortic_aneurysm": {
        "translated": (
            "The abdominal aorta is aneurysmatic with a diameter of {mm} mm.",
            "An aneurysm of {mm} mm is observed in the abdominal aorta.",
        ),
        "full": (
            "There is an abdominal aortic aneurysm measuring {mm} mm.",
            "The abdominal aorta is aneurysmal at {cm} cm.",
            "There is aneurysmal dilatation of the abdominal aorta to {mm} mm.",
        ),
        "terse": ("Abdominal aortic aneurysm, {mm} mm.", "Aneurysm of the abdominal aorta, {mm} mm."),
    },
}
