"""Files that nobody wrote: reports of every format, damaged at random, are read or refused clearly, within seconds."""

import gzip
import io
import random
import time
import zipfile
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curation.readers.reports import read_reports
from curation.runtime.errors import OvctError
from tests.faults.trials import Trials, count, drawn

TEXT = (
    "EXAM: CT chest. FINDINGS: The liver is normal. There is a 5 x 6 mm nodule in the right upper lobe (series 3, "
    "image 44).\nNo pleural effusion.\nIMPRESSION: “Stable” nodule."
)
ROWS = [{"id": str(number), "report": f"{TEXT} {number}"} for number in range(3)]
TEXTS = {
    "a.csv": f'id,report\n1,"{TEXT}"\n2,"The spleen is normal."\n',
    "a.tsv": "id\treport\tage\n1\tThe liver is normal.\t70\n2\tNormal.\n\n3\tThe spleen is normal.\t4\t5\n",
    "a.jsonl": '{"id": "1", "report": {"findings": "The liver is normal.", "impression": ["Normal."]}}\n' * 3,
    "a.json": '[{"id": "1", "report": "The liver is normal."}, {"id": 2, "report": "The spleen is normal."}]',
    "fhir.json": '{"resourceType": "Bundle", "entry": [{"fullUrl": "urn:1", "resource": {"resourceType": '
    '"DiagnosticReport", "id": "7", "status": "final", "conclusion": "The liver is normal."}}]}',
    "a.hl7": "MSH|^~\\&|a|b|c|d|2020||ORU^R01|1|P|2.3\rPID|1||7\rOBR|1||7|CT\r"
    "OBX|1|TX|1||The liver is normal.\\.br\\Normal\r",
    "a.rtf": "{\\rtf1\\ansi\\uc1 The liver \\b is\\b0  normal.\\par\\u8364?\\'e9 The spleen is normal.}",
    "a.html": "<html><body><p>The liver is <b>normal</b>.</p><table><tr><td>Spleen</td><td>5 cm</td></tr></table>"
    "</body></html>",
    "a.xml": '<ClinicalDocument xmlns="urn:hl7-org:v3"><component><section><text>The liver is normal.</text></section>'
    "</component></ClinicalDocument>",
    "a.txt": TEXT,
}
BINARY = ("a.csv.gz", "a.parquet", "a.xlsx", "a.docx")
PIECES = [
    *("\0", "\ud800", "\u202e", '"', "'", "\n", "\r", "\r\n", ",", ";", "\t", "{", "}", "[", "]", "<", ">", "\\", "|"),
    *("^", "~", "&#0;", "1e999", "-0", "NaN", "null", "[**", "<!--", "<![CDATA[", "<!DOCTYPE a [", "\\u", "\\bin9"),
    *("MSH|^~\\&|", "OBX|", "\x0b", "\x1c", "sep=;\n", '""', '{"resourceType": ', "{\\rtf1", "\ufeff", "½", ":"),
]
SECONDS = 2.0
"""Of CPU time, within which each file is read or refused."""
SHARE = {"a.xlsx": 0.25, "a.docx": 0.5, "a.parquet": 0.5}
"""Of the number of trials: each of these costs several of the others."""


def mutated_text(text: str, chance: random.Random) -> bytes:
    """Return a text with some of it cut, doubled, moved or replaced, in some encoding."""
    for _ in range(chance.randint(1, 6)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.choice((0, 1, 1, 3, 20, 200)))
        new = chance.choice(
            ("", chance.choice(PIECES), text[start:end] * 2, chance.choice(PIECES) * chance.randint(1, 200), text[:40])
        )
        text = text[:start] + new + text[end:]
    return mutated_bytes(text.encode(chance.choice(("utf-8", "utf-8", "utf-16", "latin-1")), "replace"), chance, 0.3)


def mutated_bytes(raw: bytes, chance: random.Random, often: float = 1.0) -> bytes:
    """Return bytes of which some are changed, cut, added or doubled."""
    while raw and chance.random() < often:
        often *= 0.5
        place, size = chance.randrange(len(raw)), chance.choice((0, 1, 1, 4, 64))
        new = chance.choice((b"", chance.randbytes(size), raw[place : place + size] * 3, b"\xff" * size, b"\0" * size))
        raw = raw[:place] + new + raw[place + size :]
        raw = raw[: chance.randrange(len(raw))] if raw and chance.random() < 0.1 else raw
    return raw


def written(name: str) -> bytes:
    """Return a sound file of a binary format."""
    stream = io.BytesIO()
    if name == "a.csv.gz":
        return gzip.compress(TEXTS["a.csv"].encode(), mtime=0)
    if name == "a.parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), stream)
    elif name == "a.xlsx":
        workbook = openpyxl.Workbook()
        workbook.worksheets[0].append(list(ROWS[0]))
        for row in ROWS:
            workbook.worksheets[0].append(list(row.values()))
        workbook.save(stream)
    else:
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("[Content_Types].xml", "<Types/>")
            body = "<w:p><w:r><w:t>The liver is normal.</w:t></w:r></w:p>" * 3
            archive.writestr("word/document.xml", f'<w:document xmlns:w="w"><w:body>{body}</w:body></w:document>')
    return stream.getvalue()


def repacked(raw: bytes, chance: random.Random) -> bytes:
    """Return an archive of which one part was damaged before it was packed, so that it is unpacked as it is."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        chosen = chance.choice(archive.namelist())
        for part in archive.namelist():
            content = archive.read(part)
            if part == chosen:
                content = mutated_text(content.decode("utf-8", "replace"), chance)
            out.writestr(part, content)
    return stream.getvalue()


@pytest.mark.parametrize("name", [*TEXTS, *BINARY])
def test_a_damaged_file_is_read_or_refused(trials: Trials, tmp_path: Path, name: str) -> None:
    trial, chance, path = (
        trials[f"a damaged file of reports: {name[name.index('.') + 1 :]}"],
        drawn(name),
        tmp_path / name,
    )
    share = SHARE.get(name, 1.0)
    sound = written(name) if name in BINARY else b""
    for _ in range(count(of_all=int(8_000 * share), of_every_run=int(60 * share))):
        if name in TEXTS:
            raw = mutated_text(TEXTS[name], chance)
        elif name == "a.csv.gz" and chance.random() < 0.7:
            raw = gzip.compress(mutated_text(TEXTS["a.csv"], chance), 1, mtime=0)
        elif name in ("a.xlsx", "a.docx") and chance.random() < 0.7:
            raw = repacked(sound, chance)
        else:
            raw = mutated_bytes(sound, chance)
        path.write_bytes(raw)
        begun = time.process_time()
        try:
            for report in read_reports(path, on_problem=lambda problem: None):
                assert all(0 <= section.start < section.end <= len(report.text) for section in report.sections)
        except OvctError as error:
            assert name in str(error), error
        assert time.process_time() - begun < SECONDS, raw[:2000]
        trial.passed()
