"""Which columns may hold the ids of reports: by known names, by the words of their names, and by their contents."""

from __future__ import annotations

import re
from collections.abc import Mapping

from curation.readers.layouts import ID_NAMES, plain_name

from .samples import ColumnSample

NAME_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_]+")
ID_WORDS = frozenset((
    "id", "ids", "no", "nr", "num", "nbr", "number", "nummer", "uid", "guid", "uuid", "key", "identifier", "accession",
    "acc", "accno", "fallnr", "fallnummer", "befundnr", "auftragsnr", "reportid", "studyid", "examid",
))  # fmt: skip
OF_A_REPORT = frozenset((
    "acc", "accession", "accno", "report", "rpt", "exam", "examination", "study", "order", "proc", "procedure",
    "result", "doc", "document", "note", "request", "scan", "image", "series", "case", "befund", "visit",
    "message", "msg", "fall",
))  # fmt: skip
OF_A_PATIENT = frozenset(("patient", "pat", "pt", "person", "mrn", "subject", "pid", "deid", "client"))


def hinted_ids(samples: Mapping[str, ColumnSample]) -> list[str]:
    """Return the columns whose names say that they hold ids, those of reports before those of patients."""
    return sorted((name for name in samples if _is_id_name(name, samples[name])), key=_rank)


def guess_id(samples: Mapping[str, ColumnSample]) -> str | None:
    """Return the column that holds ids by its contents: short values, all different; None where that is not plain.

    One whose name says so comes first; of the others, it must be the only one in a table of some rows.
    """
    possible = {name: one for name, one in samples.items() if one.could_be_id() and one.is_distinct()}
    if hinted := hinted_ids(possible):
        return hinted[0]
    if len(possible) == 1 and (name := next(iter(possible))) and len(possible[name].cells) >= 3:
        return name
    return None


def _is_id_name(name: str, sample: ColumnSample) -> bool:
    """Return whether a name ends like "ACC_NO", or, over values of one word, like "Exam"."""
    words = name_words(name)
    if plain_name(name) in ID_NAMES or (words and (words[-1] in ID_WORDS or words[0] in ("id", "uid"))):
        return True
    return bool(words) and words[-1] in OF_A_REPORT and sample.is_tokens()


def _rank(name: str) -> int:
    words = set(name_words(name))
    if words & OF_A_PATIENT:
        return 2
    return 0 if words & OF_A_REPORT else 1


def is_of_report(name: str) -> bool:
    """Return whether an id column of this name is of reports or orders, and not of patients."""
    return _rank(name) == 0


def name_words(name: str) -> list[str]:
    """Return the words of a column's name in lower case: "AccNo" and "ACC_NO" have two."""
    return [word.lower() for word in NAME_WORD.findall(name)]
