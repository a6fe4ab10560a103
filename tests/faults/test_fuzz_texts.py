"""Texts that nobody wrote: reports, captions and files that were damaged at random are read, or refused clearly."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from curation.engines.rules import RulesEngine
from curation.extraction.text_engine import verify_drafts
from curation.readers.reports import read_reports
from curation.readers.sections import split_sections
from curation.report import Report
from curation.runtime.errors import OvctError
from curation.verification.verifier import Verifier
from tests.faults.trials import Trials, count, drawn

TEXT = (
    "EXAM: CT chest. FINDINGS: The liver is normal. There is a 5 x 6 mm nodule in the right upper lobe (series 3, "
    "image 44).\nNo pleural effusion.\nLIVER: unremarkable\n- Spleen: 12 cm\n1. Left renal cyst. 2. No ascites?\n"
    "IMPRESSION: “Stable” nodule."
)
FILES = {
    "a.csv": f'id,report\n1,"{TEXT}"\n2,"The spleen is normal."\n',
    "a.jsonl": '{"id": "1", "report": {"findings": "The liver is normal.", "impression": ["Normal."]}}\n' * 3,
    "a.json": '[{"id": "1", "report": "The liver is normal."}, {"id": 2, "report": "The spleen is normal."}]',
    "a.hl7": "MSH|^~\\&|a|b|c|d|2020||ORU^R01|1|P|2.3\rPID|1||7\rOBR|1||7|CT\r"
    "OBX|1|TX|1||The liver is normal.\\.br\\Normal\r",
    "a.rtf": "{\\rtf1\\ansi\\uc1 The liver \\b is\\b0  normal.\\par\\u8364?\\'e9 The spleen is normal.}",
    "a.html": "<html><body><p>The liver is <b>normal</b>.</p><table><tr><td>Spleen</td><td>5 cm</td></tr></table>"
    "</body></html>",
    "a.xml": '<ClinicalDocument xmlns="urn:hl7-org:v3"><component><section><text>The liver is normal.</text></section>'
    "</component></ClinicalDocument>",
    "a.txt": TEXT,
}
PIECES = [
    "\0",
    "\ud800",
    "\u202e",
    "\u0301",
    '"',
    "'",
    "\n",
    "\r",
    ",",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "\\",
    "&#0;",
    "|",
    "^",
    "~",
]
PIECES += [
    "1e999",
    "-0",
    "NaN",
    "[**",
    "<!--",
    "<|im_start|>",
    "no ",
    "not ",
    "left ",
    "?",
    "mm",
    " x ",
    ":",
    "liver",
    "\t",
    "﻿",
    "½",
]


def damaged(text: str, chance: random.Random) -> str:
    """Return a text with some of it cut, doubled, moved or replaced."""
    for _ in range(chance.randint(1, 6)):
        start = chance.randint(0, len(text))
        end = min(len(text), start + chance.choice((0, 1, 1, 3, 20, 200)))
        new = chance.choice(
            ("", chance.choice(PIECES), text[start:end] * 2, chance.choice(PIECES) * chance.randint(1, 60))
        )
        text = text[:start] + new + text[end:]
    return text


def bytes_of(text: str, chance: random.Random) -> bytes:
    """Return a text in some encoding, sometimes with bytes of its own."""
    raw = text.encode(chance.choice(("utf-8", "utf-8", "utf-16", "latin-1")), "replace")
    if chance.random() < 0.3 and raw:
        place = chance.randrange(len(raw))
        raw = raw[:place] + bytes([chance.randrange(256)]) + raw[place + chance.randint(0, 1) :]
    return raw


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_read_or_refused(trials: Trials, tmp_path: Path, name: str) -> None:
    trial, chance, path = trials[f"a damaged file of reports: {name[2:]}"], drawn(name), tmp_path / name
    for _ in range(count(of_all=12_500, of_every_run=40)):
        path.write_bytes(bytes_of(damaged(FILES[name], chance), chance))
        try:
            for report in read_reports(path, on_problem=lambda problem: None):
                assert all(0 <= section.start < section.end <= len(report.text) for section in report.sections)
        except OvctError as error:
            assert name in str(error), error
        trial.passed()


def test_a_damaged_report_is_read(trials: Trials) -> None:
    engine = RulesEngine(Verifier())
    trial, chance = trials["a damaged report, and captions of it"], drawn("texts")
    organs: list[Callable[[], str]] = [lambda: "liver", lambda: damaged("right lung", chance)]
    for _ in range(count(of_all=20_000, of_every_run=25)):
        text = damaged(TEXT, chance)
        sections = split_sections(text)
        report = Report("r", text, sections, {}, 1)
        (drafts,) = engine.extract([report])
        outcome = verify_drafts(engine.verifier, report, drafts, show_repeats=True)
        read = engine.verifier.read(text, sections)
        verdict = engine.verifier.verify(read, chance.choice(organs)(), damaged("The liver is normal.", chance))
        assert verdict.accepted == (verdict.reason is None)
        assert all(0 <= start < end <= len(text) for caption in outcome.accepted for start, end in caption.passages)
        trial.passed()
