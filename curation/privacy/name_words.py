"""Words that begin with a capital behind a title or a label, and are no name of a person."""

from __future__ import annotations

import re

_GRAMMAR = (
    "a an the this that these those there here no not none nil any all some each both he she it they we i you his "
    "her its their our who whom which what when where while in on at of to by for from with without and or but as "
    "if then than per via about after before during over under until since is was were are am be been being has had "
    "have having do does did will would can could may might should must shall please see same self above below "
    "again also only now today yesterday tomorrow immediately directly personally verbally over between"
)
_MARKS = (
    "name names redacted removed unknown anonymous anonymized anonymised deidentified unavailable pending blank "
    "null na nan xyz abc tbd n/a test withheld confidential"
)
_PEOPLE = (
    "patient patients pt client doctor doctors physician physicians md dr drs mr mrs ms miss prof professor "
    "provider providers clinician clinicians radiologist radiologists attending attendings resident residents "
    "fellow fellows nurse nurses surgeon surgeons consultant consultants specialist specialists technologist "
    "technologists technician technicians tech staff team teams member members family referring ordering requesting "
    "consulting reading reporting interpreting admitting supervising performing primary care covering responsible "
    "treating on-call intern interns registrar midwife pharmacist male female man woman boy girl child children "
    "infant adult newborn baby mother father parent parents transcriptionist author operator assistant practitioner "
    "hospitalist intensivist pcp"
)
_PLACES = (
    "department departments dept emergency ed er icu nicu picu ccu or ward floor unit units room clinic clinics "
    "office hospital hospitals center centre university medical medicine surgery surgical service services trauma "
    "stroke transplant vascular thoracic cardiac orthopedic orthopaedic orthopedics urgent intensive internal "
    "general nuclear radiology imaging pathology laboratory lab picture system powerscribe pacs ris emr epic "
    "telephone phone pager fax email e-mail voice recognition software dictation facility institution outside "
    "inpatient outpatient"
)
_REPORT = (
    "findings finding impression impressions conclusion conclusions comparison comparisons technique history "
    "indication indications exam exams examination examinations procedure procedures study studies report reports "
    "reported recommendation recommendations addendum preliminary final results result date dates dob time mrn age "
    "sex gender id accession number signed dictated transcribed electronically reviewed approved verified read "
    "signature consent clinical information reason type status priority scan scans series image images view views "
    "protocol contrast biopsy follow-up followup follow critical urgent routine acute chronic normal abnormal left "
    "right bilateral stable unchanged new"
)
_BODY = (
    "ct mr mri mra cta us pet petct pet-ct xr cr dr x-ray xray ultrasound sonography radiograph radiographs "
    "angiography fluoroscopy mammogram mammography chest abdomen pelvis abdominal pelvic head brain neck spine "
    "thorax lung lungs liver kidney kidneys spleen pancreas heart aorta bowel bladder bone bones cervical lumbar "
    "sacral extremity knee hip shoulder sinus sinuses whole body upper lower"
)
_CALENDAR = (
    "monday tuesday wednesday thursday friday saturday sunday january february april june july august september "
    "october november december jan feb mar apr jun jul aug sep sept oct nov dec am pm hours"
)
NO_NAMES = frozenset(" ".join([_GRAMMAR, _MARKS, _PEOPLE, _PLACES, _REPORT, _BODY, _CALENDAR]).split())
# Specialities and examinations by their endings, and the marks of texts that were de-identified: "X", "XXXX", "Xx".
_NO_NAME = re.compile(
    r".*(?:ology|ologists?|iatrics?|iatry|surgery|icians?|ography|ogram|oscopy)|x{2,}|x+\.?", re.IGNORECASE
)


def may_be_name(word: str) -> bool:
    """Return whether a word that stands where a name may stand can be one."""
    plain = word.strip(".'’-").lower()
    return bool(plain) and plain not in NO_NAMES and not _NO_NAME.fullmatch(plain)
