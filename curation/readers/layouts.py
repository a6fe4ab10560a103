"""Which columns mean what: the layouts of public report collections, by the names of their columns.

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
WORDS = {
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
    """A column of text and the section it is; what is not named as one is cut by its own headings from there."""

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
    """Find id and text among ``columns``, those that are named first.

    Raises:
        InputError: a named column is not there, or none is known to hold text. It says which columns were seen.
    """
    plain = {_plain(name): name for name in reversed(columns)}
    named_id = _named(id_column, "--id-column", columns) if id_column is not None else None
    named = [_named(name, "--text-column", columns) for name in text_columns]
    found_id = named_id or next((plain[name] for name in ID_NAMES if name in plain and plain[name] not in named), None)
    if named:
        return ColumnLayout(found_id, (tuple(TextColumn(name, _section_by_name(name)) for name in named),))
    if {"volumename", "anatomy", "sentence"} <= plain.keys():
        return ColumnLayout(found_id, ((TextColumn(plain["sentence"], "findings"),),), plain["anatomy"])
    texts = _known_texts([name for name in columns if name != found_id])
    if not texts:
        raise InputError(
            f"no column is known to hold report text. Columns seen: {_listed(columns)}. Expected one of report_text, "
            "report, text, findings, impression, Findings_EN …; name yours with --text-column NAME"
            + ("" if found_id else ", and the one with the ids with --id-column NAME")
        )
    return ColumnLayout(found_id, texts)


def is_known(name: str) -> bool:
    """Whether a column of this name has a meaning of its own."""
    return _plain(name) in ROLES or _plain(name) in ID_NAMES


def _known_texts(columns: Sequence[str]) -> tuple[tuple[TextColumn, ...], ...]:
    """Findings with impression; behind them, for rows where both are empty, each column that holds a whole report."""
    findings = _best(columns, FINDINGS_NAMES, "findings")
    impression = _best(columns, IMPRESSION_NAMES, "impression")
    reports = [_best(columns, (name,), "report") for name in REPORT_NAMES]
    wholes = [(*report, *(() if findings else impression)) for report in reports if report]
    parts = (*findings, *impression)
    alternatives = [parts, *wholes] if findings else [*wholes, parts]
    return tuple(alternative for alternative in alternatives if alternative)


def _best(columns: Sequence[str], names: Sequence[str], role: str) -> tuple[TextColumn, ...]:
    """The columns that go by the first of ``names`` to be met: one, or the parts of a nested record."""
    section = "findings" if role == "report" else role
    for name in names:
        if found := [column for column in columns if _role_name(column) == name]:
            return tuple(TextColumn(column, section) for column in (found if "." in found[0] else found[:1]))
    return ()


def _role_name(column: str) -> str | None:
    """The known name in the path of a column, the innermost if there are several."""
    if _plain(column) in ROLES:
        return _plain(column)
    steps = [_plain(step) for step in column.split(".")]
    return next((step for step in reversed(steps) if step in ROLES), None) if len(steps) > 1 else None


def _named(name: str, flag: str, columns: Sequence[str]) -> str:
    for same in (str, str.casefold, _plain):
        for column in columns:
            if same(column) == same(name):
                return column
    raise InputError(f"there is no column {name!r} ({flag}). Columns seen: {_listed(columns)}")


def _section_by_name(name: str) -> str:
    plain = _plain(name)
    return next((section for word, section in WORDS.items() if word in plain), "findings")


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()


def _listed(columns: Sequence[str], most: int = 30) -> str:
    more = f" and {len(columns) - most} more" if len(columns) > most else ""
    return ", ".join(columns[:most]) + more
