"""What was examined, from the columns of a table first and from the text of the report where they say nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from curation.readers.layouts import plain_name
from curation.readers.rows import is_empty
from curation.report import Examination, Modality, Section

from .modalities import ASIDE, SENTENCE, body_part_in, modalities_in, modality_of_code
from .titles import titles

MODALITY_NAMES = frozenset((
    "modality", "modalities", "modalitycode", "modalitytype", "modalityname", "imagingmodality", "exammodality",
    "studymodality", "modalitiesinstudy", "dicommodality", "scanmodality", "reportmodality", "modalitaet", "modalitat",
))  # fmt: skip
EXAMINATION_NAMES = frozenset((
    "examination", "examinationname", "examinationtype", "examinationdescription", "exam", "exams", "examname",
    "examtype", "examdescription", "examdesc", "examtitle", "procedure", "procedurename", "proceduredescription",
    "proceduredesc", "proceduretype", "procname", "procdesc", "proc", "procdescription", "study", "studyname",
    "studydescription", "studydesc", "studytype", "studytitle", "protocol", "protocolname", "ordername", "order",
    "orderdescription", "orderdesc", "orderdisplayname", "orderproc", "orderable", "ordereditem", "test", "testname",
    "testdescription", "service", "servicename", "servicedescription", "imagingstudy", "imagingexam", "imagingtype",
    "imagingprocedure", "radiologyexam", "radiologyprocedure", "scantype", "scan", "scandescription", "typeofexam",
    "typeofstudy", "typeofscan", "title", "reporttitle", "reporttype", "reportname", "requestedprocedure",
    "requestedproceduredescription", "obr4", "universalserviceid", "universalserviceidentifier", "untersuchung",
    "untersuchungsart", "investigation", "investigationname",
))  # fmt: skip
BODY_PART_NAMES = frozenset((
    "bodypart", "bodyparts", "bodypartexamined", "bodyregion", "bodyregions", "bodyarea", "region", "anatomicregion",
    "anatomicalregion", "anatomicarea", "anatomicalarea", "bodysite", "examinedregion", "regionexamined",
    "examinedbodypart", "koerperregion", "korperregion",
))  # fmt: skip


class ExaminationColumns(NamedTuple):
    """The columns of a table that tell what was examined."""

    modality: tuple[str, ...]
    examination: tuple[str, ...]
    body_part: tuple[str, ...]


def examination_columns(columns: Iterable[str], used: Iterable[str]) -> ExaminationColumns:
    """Find the columns that tell what was examined, by name; ``used`` are those of ids and texts."""
    free = [name for name in columns if name not in set(used)]

    def of(names: frozenset[str]) -> tuple[str, ...]:
        return tuple(name for name in free if plain_name(name) in names or plain_name(name.rpartition(".")[2]) in names)

    return ExaminationColumns(of(MODALITY_NAMES), of(EXAMINATION_NAMES), of(BODY_PART_NAMES))


def examination_of_title(text: str, sections: Sequence[Section]) -> Examination | None:
    """Return what the title of a text says was examined; None for a text without a title."""
    title = next(titles(text, sections), None)
    return None if title is None else Examination(modalities_in(title), _short_part(title), title)


def examination_of(
    columns: ExaminationColumns,
    cells: Mapping[str, str],
    text: str,
    sections: tuple[Section, ...],
    of_title: Callable[[str, tuple[Section, ...]], Examination | None] = examination_of_title,
) -> Examination:
    """Return what was examined, as far as cells or the text's title tell: it is never guessed from organs."""
    parts = [cell for name in columns.body_part if not is_empty(cell := cells.get(name, "").strip())]
    part = parts[0] if parts else ""
    names = [cell for name in columns.examination if not is_empty(cell := cells.get(name, "").strip())]
    for cell in (cells.get(name, "").strip() for name in columns.modality):
        if modalities := modality_of_code(cell) or _of_name(cell)[0]:
            return Examination(modalities, part or _first_part(names), cell)
    for cell in names:
        modalities, name = _of_name(cell)
        modalities = modalities or modality_of_code(cell)
        if modalities:
            return Examination(modalities, part or body_part_in(name), cell)
    if (titled := of_title(text, sections)) is not None:
        return replace(titled, body_part=part) if part else titled
    part = part or _first_part(names)
    return Examination((), part, part)


def _of_name(cell: str) -> tuple[tuple[Modality, ...], str]:
    """Return the modalities of an examination's name, and the name without what speaks of another one."""
    name = ASIDE.sub("", cell)
    return ((), name) if SENTENCE.search(name) else (modalities_in(name), name)


def _first_part(names: Sequence[str]) -> str:
    return next((part for name in names if (part := body_part_in(ASIDE.sub("", name)))), "")


def _short_part(title: str) -> str:
    """Return the body part of a title; a sentence of a technique tells none."""
    return "" if SENTENCE.search(title) else body_part_in(title)
