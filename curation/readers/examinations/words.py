"""Words in the names of examinations: how an examination is done, and which part of the body it is of."""

# Words that are no part of the body.
MANNER_WORDS = frozenset(
    (
        "with without w wo o and or of the a an in to plus then contrast iv intravenous intravenously oral orally "
        "po rectal enhanced unenhanced noncontrast nonenhanced non enhancement plain material media medium agent "
        "dye gadolinium scan scans scanning scanner study studies exam exams examination examinations protocol "
        "routine limited complete comprehensive portable bedside single double dual multi triple phase phases "
        "multiphase multiphasic view views pa ap lat lateral oblique erect supine upright decubitus frontal low "
        "high dose resolution thin section slice helical spiral multidetector axial coronal sagittal reformat "
        "reformats reconstruction reconstructions reconstructed angiography angiogram angio venogram urogram "
        "urography enterography enterogram colonography cholangiography screening diagnostic guided guidance "
        "biopsy drainage aspiration placement injection fdg f images image imaging series type name title number "
        "no min only pre post before after following administration using mm cm d by from total new stat "
        "transabdominal transvaginal transthoracic transrectal color colour digital bilateral unilateral follow "
        "up followup emergency inpatient outpatient date time perfusion diffusion sequence sequences t weighted "
        "dynamic hepatobiliary arterial venous portal delayed nephrographic excretory run off runoff volume "
        "rendering cpt code en"
    ).split()
)
# Parts of the body by the names that examinations have for them, beside the names of organs.
BODY_WORDS = frozenset(
    (
        "head brain face facial orbit orbits sinus sinuses neck chest thorax thoracic lung lungs rib ribs sternum "
        "breast abdomen abdominal abd abdomino pelvis pelvic kidney kidneys renal liver hepatic biliary pancreas "
        "pancreatic prostate bladder uterus ovarian scrotum testis testes testicular obstetric ob gyn spine "
        "cervical lumbar sacrum sacral coccyx lumbosacral whole body skeletal skull base mid thigh hip hips knee "
        "knees leg legs lower upper extremity extremities foot feet ankle hand wrist wrists elbow shoulder "
        "shoulders arm forearm femur tibia humerus finger fingers toe toes left right lt rt l r joint joints soft "
        "tissue carotid carotids aorta aortic coronary cardiac heart pulmonary vascular vein veins artery "
        "arteries deep dvt retroperitoneal gallbladder spleen thyroid parathyroid temporal bone bones mandible "
        "maxillofacial tmj pituitary iac mastoid mastoids circle willis urinary tract bowel small appendix groin "
        "hernia quadrant ruq rlq luq llq kub stone embolism pe trauma stroke aneurysm dissection calcium score "
        "sella internal auditory canals larynx nasopharynx mediastinum esophagus stomach gastric colon rectum "
        "anal perineum penis wall region area interval lumbal abdomens"
    ).split()
)
