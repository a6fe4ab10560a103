"""Hallucinated captions: clauses, causes and whole statements that stand nowhere."""

from __future__ import annotations

import re
from random import Random

from benchmarks.quality.captions.kinds import Claim, hallucinated
from benchmarks.quality.captions.statements import Document, Statement, silent_organs, stems

_CLAUSES = (
    "with associated lymphadenopathy", "with surrounding edema", "with central necrosis",
    "with cortical destruction", "with adjacent fat stranding", "without contrast enhancement", "with a fluid level",
    "with mass effect on adjacent structures", "and biopsy is recommended",
    "which should be followed up in 3 months", "with internal septations",
)  # fmt: skip

_CAUSES = (
    "due to pneumonia", "secondary to trauma", "caused by heart failure", "due to metastatic disease",
    "because of infection", "related to prior surgery", "consistent with tuberculosis", "in keeping with malignancy",
    "representing an abscess",
)  # fmt: skip

_FILLERS = (
    "Not mentioned in the report.", "No findings reported.", "Not evaluated.", "No information available.",
    "Unremarkable.", "See report.", "No abnormality described.", "N/A", "Findings as described above.",
    "No significant abnormality.",
)  # fmt: skip
_SURGERY = (
    ("gallbladder", "Status post cholecystectomy.", "cholecyst|gallbladder"),
    ("spleen", "The spleen is surgically absent.", "splen"),
    ("right kidney", "Status post right nephrectomy.", "nephrect|kidney|renal"),
    ("uterus", "Post hysterectomy.", "uter|hyster"),
    ("thyroid", "Status post thyroidectomy.", "thyroid"),
)


@hallucinated
def clause_invented(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    clause = rng.choice(_CLAUSES)
    if (
        doc.echoes(statement.text, clause, 0.2)
        or not statement.positive
        or set(clause.split()) & set(doc.flat.split()) - {"with", "a", "and", "is", "in", "up", "on"}
    ):
        return None
    return statement.organs[0], f"{statement.text.rstrip('. ')} {clause}."


@hallucinated
def cause_invented(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    cause = rng.choice(_CAUSES)
    words = stems(cause) - stems("due secondary caused related consistent keeping representing because prior")
    return (
        None
        if words & stems(doc.flat) or not statement.positive
        else (statement.organs[0], f"{statement.text.rstrip('. ')} {cause}.")
    )


@hallucinated
def normal_for_silent_organ(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    silent = silent_organs(doc.text)
    if not silent:
        return None
    organ = rng.choice(silent)
    verb = (
        "are"
        if organ.endswith(
            ("nodes", "lungs", "kidneys", "glands", "ies", "breasts", "ribs", "sinuses", "rae", "bronchi")
        )
        else "is"
    )
    return organ, rng.choice(
        [
            f"The {organ} {verb} normal.",
            f"The {organ} {verb} unremarkable.",
            f"No abnormality of the {organ}.",
            f"No {organ} lesion.",
        ]
    )


@hallucinated
def filler(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    silent = silent_organs(doc.text)
    return (rng.choice(silent), rng.choice(_FILLERS)) if silent else None


@hallucinated
def surgery_invented(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    organ, caption, clash = rng.choice(_SURGERY)
    return None if re.search(clash, doc.text, re.I) else (organ, caption)


@hallucinated
def history_as_finding(rng: Random, doc: Document, statement: Statement) -> Claim | None:
    """Take a sentence of technique, history or comparison that the sections with findings do not say."""
    rest = [
        sentence
        for sentence in doc.others
        if not any(
            len(stems(sentence.text) & stems(read.text)) >= 0.3 * len(stems(sentence.text)) for read in doc.statements
        )
    ]
    if not rest:
        return None
    sentence = rng.choice(rest)
    return sentence.organs[0], sentence.text
