"""Find the columns of ids and texts by their names, which are those of public collections of reports.

Names are compared without case, spaces or punctuation. For a nested record the name is the path to the value:
``labels.report.findings.chest``. The collections that were looked at for these names: CT-RATE (VolumeName, Findings_EN,
Impressions_EN), CT-CLIP (AccessionNo, report_text), Merlin (study id, Findings), RadGenome-Chest CT (Volumename,
Anatomy, Sentence), INSPECT (impression_id, impressions), AbdomenAtlas 3.0 (BDMAP ID, narrative report, …), AMOS-MM
(image, labels.report.findings.…), CheXpert Plus (path_to_image, section_findings, section_impression), SRRG
(findings_section, impression_section), MTSamples (sample_id, text), MIMIC notes (note_id, text).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from curation.runtime.errors import InputError

# In order of preference: what names one report or scan before what names a patient, who may have several.
ID_NAMES = (
    "key", "reportid", "volumename", "accessionno", "accessionnumber", "accnum", "accession", "studyid", "examid",
    "bdmapid", "impressionid", "sampleid", "caseid", "scanid", "seriesid", "noteid", "volumeid", "imageid",
    "pathtoimage", "imagepath", "filename", "studyinstanceuid", "studyuid", "uid", "id", "volume", "image", "scan",
    "study", "case", "patientid", "deidpatientid", "subjectid", "pid", "mrn", "name",
)  # fmt: skip
FINDINGS_NAMES = (
    "findingsen", "findings", "finding", "sectionfindings", "findingssection", "reportfindings", "findingstext",
    "narrative",
)  # fmt: skip
IMPRESSION_NAMES = (
    "impressionsen", "impressionen", "impressions", "impression", "sectionimpression", "impressionsection",
    "reportimpression", "impressiontext", "conclusions", "conclusion", "opinion",
)  # fmt: skip
REPORT_NAMES = (
    "reporttext", "report", "radiologyreport", "fullreport", "reporten", "reporttexten", "reportcontent", "text",
    "fulltext", "transcription", "narrativereport", "structuredreport", "fusionnarrativereport",
    "fusionstructuredreport", "content",
)  # fmt: skip
ROLES = {
    **dict.fromkeys(FINDINGS_NAMES, "findings"),
    **dict.fromkeys(IMPRESSION_NAMES, "impression"),
    **dict.fromkeys(REPORT_NAMES, "report"),
}
# What a column named on the command line holds, from a word in its name; anything else is findings.
SECTION_WORDS = {
    "impress": "impression",
    "conclusion": "impression",
    "opinion": "impression",
    "techni": "technique",
    "histor": "history",
    "clinical": "history",
    "indication": "history",
    "compar": "comparison",
    "recommend": "recommendation",
    "addend": "addendum",
}


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of text. ``section`` is the section that its text belongs to until a heading in it opens another one."""

    name: str
    section: str


@dataclass(frozen=True, slots=True)
class ColumnLayout:
    """Says which columns of a table hold the ids and the texts of reports.

    ``texts`` holds alternatives, best first: a row is read by the first one that has text in it. Where ``heading`` is
    set, following rows of one id are one report, and that column heads each part of it.
    """

    id_column: str | None
    texts: tuple[tuple[TextColumn, ...], ...]
    heading: str | None = None

    @property
    def text_columns(self) -> tuple[str, ...]:
        """The names of all columns with text, each once, in order of preference."""
        return tuple(dict.fromkeys(column.name for alternative in self.texts for column in alternative))


def find_layout(columns: Sequence[str], id_column: str | None = None, text_columns: Sequence[str] = ()) -> ColumnLayout:
    """Find the columns of ids and texts among ``columns``; those that the caller names come first.

    Raises:
        InputError: a named column is not there, or none is known to hold text. It says which columns were seen.
    """
    by_plain_name = {_plain(name): name for name in reversed(columns)}
    named_id = _named_column(id_column, "--id-column", columns) if id_column is not None else None
    named_texts = [_named_column(name, "--text-column", columns) for name in text_columns]
    known_ids = (by_plain_name[name] for name in ID_NAMES if name in by_plain_name)
    id_name = named_id or next((name for name in known_ids if name not in named_texts), None)
    if named_texts:
        return ColumnLayout(id_name, (tuple(TextColumn(name, _section_by_name(name)) for name in named_texts),))
    if {"volumename", "anatomy", "sentence"} <= by_plain_name.keys():
        sentence = TextColumn(by_plain_name["sentence"], "findings")
        return ColumnLayout(id_name, ((sentence,),), by_plain_name["anatomy"])
    texts = _known_texts([name for name in columns if name != id_name])
    if not texts:
        raise InputError(
            f"no column is known to hold report text. Columns seen: {_listed(columns)}. Expected one of report_text, "
            "report, text, findings, impression, Findings_EN …; name yours with --text-column NAME"
            + ("" if id_name else ", and the one with the ids with --id-column NAME")
        )
    return ColumnLayout(id_name, texts)


def is_known(name: str) -> bool:
    """Return whether a column of this name is known to hold ids or text."""
    return _plain(name) in ROLES or _plain(name) in ID_NAMES


def _known_texts(columns: Sequence[str]) -> tuple[tuple[TextColumn, ...], ...]:
    """Return findings with impression and, for rows where both are empty, each column that holds a whole report."""
    findings = _best(columns, FINDINGS_NAMES, "findings")
    impression = _best(columns, IMPRESSION_NAMES, "impression")
    reports = [_best(columns, (name,), "report") for name in REPORT_NAMES]
    whole_reports = [(*report, *(() if findings else impression)) for report in reports if report]
    parts = (*findings, *impression)
    alternatives = [parts, *whole_reports] if findings else [*whole_reports, parts]
    return tuple(alternative for alternative in alternatives if alternative)


def _best(columns: Sequence[str], names: Sequence[str], role: str) -> tuple[TextColumn, ...]:
    """Return the columns that have the first of ``names`` to be met: one, or the parts of a nested record."""
    section = "findings" if role == "report" else role
    for name in names:
        if matches := [column for column in columns if _role_name(column) == name]:
            return tuple(TextColumn(column, section) for column in (matches if "." in matches[0] else matches[:1]))
    return ()


def _role_name(column: str) -> str | None:
    """Return the known name in the path of a column, the innermost if there are several."""
    if _plain(column) in ROLES:
        return _plain(column)
    steps = [_plain(step) for step in column.split(".")]
    return next((step for step in reversed(steps) if step in ROLES), None) if len(steps) > 1 else None


def _named_column(name: str, flag: str, columns: Sequence[str]) -> str:
    """Return the column that a flag names: by its very name, else without case, else without punctuation as well."""
    for normalise in (str, str.casefold, _plain):
        for column in columns:
            if normalise(column) == normalise(name):
                return column
    raise InputError(f"there is no column {name!r} ({flag}). Columns seen: {_listed(columns)}")


def _section_by_name(name: str) -> str:
    plain = _plain(name)
    return next((section for word, section in SECTION_WORDS.items() if word in plain), "findings")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _listed(columns: Sequence[str], most: int = 30) -> str:
    more = f" and {len(columns) - most} more" if len(columns) > most else ""
    return ", ".join(columns[:most]) + more
