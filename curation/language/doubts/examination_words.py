"""Closed lists of words that tell of the examination itself: what it could not show, and what is to be done next.

A name that ends in ``_STEMS`` holds stems (``tokens.stem``), any other holds lower-case words.
"""

from __future__ import annotations

from ..tokens import stem


def _stems(text: str) -> frozenset[str]:
    return frozenset(map(stem, text.split()))


# What might be is no finding: "small stones could be missed", "MRI may be useful".
MODALS = frozenset("could can may might would should must".split())
# With "not", they say that the examination did not show something.
JUDGING_STEMS = _stems(
    "evaluated assessed characterized characterised judged appraised interrogated assessable evaluable"
)
# Behind "no", they say that nothing is known: "No assessment of the liver is possible", "No comment can be made on …".
JUDGEMENT_STEMS = _stems("assessment evaluation appraisal comment statement judgement judgment conclusion opinion")
# With a modal verb, they say that the examination may not have shown something.
MISSING_STEMS = _stems("missed obscured overlooked masked hidden")
# With a word for a part, they say how much of an organ the examination shows.
COVERING_STEMS = _stems("included covered scanned imaged")
PARTLY_STEMS = _stems("partially partly incompletely")
WHOLLY_STEMS = _stems("completely fully entirely")
# Before a verb of judging, they say that it was hardly done: "difficult to assess".
HARD_STEMS = _stems("hard difficult impossible challenging")
# With a modal verb beside the name of an examination, they advise it: "MRI could be obtained".
DOING_STEMS = _stems(
    "obtained performed done repeated considered arranged undertaken requested helpful useful use value beneficial "
    "help aid assist clarify add contribute follow used warranted"
)
# A title begins or ends with one of these.
EXAMINATIONS = frozenset("ct cta cect ncct hrct mdct".split())
# A title of a form ends with one of these: "Ovarian cancer reporting form", "Appendicitis template".
DOCUMENTS = frozenset(
    "template templates form forms proforma protocol checklist worksheet questionnaire surveillance survey".split()
)
FURTHER_EXAMINATION_STEMS = _stems(
    "ct mri mr ultrasound ultrasonography sonography us scan scans examination study imaging pet biopsy endoscopy "
    "colonoscopy ercp mammography scintigraphy angiography cta mra mrcp eus radiograph follow-up followup aspiration "
    "comparison correlation sampling tomography"
)
