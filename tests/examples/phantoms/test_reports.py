from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest

from curation.engines.rules import RulesEngine
from curation.verification.verifier import Verifier
from examples.phantoms.canvas import STRUCTURES
from examples.phantoms.findings import Finding
from examples.phantoms.normal_phrases import NORMAL
from examples.phantoms.painting import paint
from examples.phantoms.patient import Patient, draw_patient
from examples.phantoms.phrases import FINDINGS
from examples.phantoms.reports import STYLES, TOPICS, PhantomReport, ReportWriter, write_report
from examples.phantoms.truth import ScanContent, scan_content
from tests.examples.phantoms.builders import patient

WORDS = {"mm": "31", "cm": "3.1", "length": "151", "side": "left", "lobe": "right lower lobe", "bone": "L2"}
# What a caption of a finding or of a normal organ may be filed under, where that is not the name of the topic.
ORGANS = {
    "enlarged_liver": {"liver"},
    "small_liver": {"liver"},
    "fatty_liver": {"liver"},
    "liver_cyst": {"liver"},
    "liver_mass": {"liver"},
    "splenomegaly": {"spleen"},
    "absent_spleen": {"spleen"},
    "absent_gallbladder": {"gallbladder"},
    "gallstone": {"gallbladder"},
    "renal_cyst": {"left kidney"},
    "absent_kidney": {"left kidney"},
    "kidney_stone": {"left kidney"},
    "hydronephrosis": {"left kidney"},
    "pancreatic_mass": {"pancreas"},
    "ascites": {"abdomen", "peritoneum"},
    "distended_bladder": {"urinary bladder"},
    "small_effusion": {"left pleura"},
    "large_effusion": {"left pleura"},
    "lung_nodule": {"right lower lobe"},
    "consolidation": {"right lower lobe"},
    "cardiomegaly": {"heart"},
    "pericardial_effusion": {"pericardium"},
    "compression_fracture": {"L2 vertebra"},
    "aortic_aneurysm": {"abdominal aorta"},
    "lungs": {"left lung", "lungs", "right lung"},
    "kidney_left": {"left kidney"},
    "kidney_right": {"right kidney"},
    "kidneys": {"left kidney", "right kidney"},
    "urinary_bladder": {"urinary bladder"},
    "pleura": {"left pleura", "pleura", "right pleura"},
    "inferior_vena_cava": {"inferior vena cava"},
    "lobe": {"right lower lobe"},
    "other pleura": {"left pleura"},
    "ribs": {"left ribs", "ribs", "right ribs"},
    "thoracic spine": {"thoracic spine", "thoracic vertebrae"},
    "lumbar spine": {"lumbar spine", "lumbar vertebrae"},
    "autochthon": {"left paraspinal muscles", "right paraspinal muscles"},
    "iliopsoas": {f"{side} {name} muscle" for side in ("left", "right") for name in ("psoas", "iliopsoas")},
    "pelvic bones": {"skeleton", "bony pelvis", "sacrum"}
    | {f"{side} {bone} bone" for side in ("left", "right") for bone in ("hip", "iliac")},
}


@cache
def engine() -> RulesEngine:
    return RulesEngine(Verifier())


def captions(text: str) -> list[tuple[str, str | None]]:
    """Organ and status of what `ovct curate` makes of a text."""
    verifier = engine().verifier
    read = verifier.read(text)
    verdicts = [verifier.verify(read, draft.organ, draft.caption) for draft in engine().drafts(read)]
    assert all(verdict.accepted for verdict in verdicts), text
    return [(verdict.organ, verdict.status) for verdict in verdicts]


@cache
def scan(*findings: Finding, field: str = "chest abdomen pelvis", number: int = 0) -> tuple[Patient, ScanContent]:
    who = patient(*findings, field=field, number=number)
    return who, scan_content(who, paint(who))


def draw_reports(count: int) -> list[tuple[Patient, ScanContent, PhantomReport]]:
    patients = []
    for number in range(count):
        who = draw_patient(5, number, STRUCTURES)
        content = scan_content(who, paint(who))
        patients.append((who, content, write_report(who, content)))
    return patients


@pytest.fixture(scope="module")
def reports() -> list[tuple[Patient, ScanContent, PhantomReport]]:
    return draw_reports(16)


@pytest.mark.parametrize("kind", [*FINDINGS, *NORMAL])
def test_each_phrase_gives_captions_of_the_right_organ_and_status(kind: str) -> None:
    bank, status = (FINDINGS[kind], "abnormal") if kind in FINDINGS else (NORMAL[kind], "normal")
    capitals = {name.capitalize(): word.capitalize() for name, word in WORDS.items()}
    for manner, templates in bank.items():
        assert manner in STYLES.values() and len(set(templates)) == len(templates) >= 2
        for template in templates:
            pairs = captions(template.format(**WORDS, **capitals))
            assert pairs and {status_ for _, status_ in pairs} == {status}, template
            assert {organ for organ, _ in pairs} <= ORGANS.get(kind, {kind}), template


def test_each_finding_that_can_be_drawn_has_words() -> None:
    kinds = {f.kind for number in range(200) for f in draw_patient(1, number, STRUCTURES).findings}
    assert kinds - {"pleural_effusion"} | {"small_effusion", "large_effusion"} == FINDINGS.keys()


def test_findings_are_told_with_side_and_size() -> None:
    cyst = Finding("renal_cyst", "kidney_left", "left", 31, direction=(-1.0, 0.0, 0.0))
    absent = Finding("absent_gallbladder", "gallbladder")
    for number in range(12):
        who, content = scan(cyst, absent, number=number % 3)
        who = Patient(**{**vars(who), "seed": (11, number)})
        report = write_report(who, content)
        for text in (report.findings, report.impression):
            assert re.search(r"\b(31 mm|3\.1 cm)\b", text) and "left" in text.lower()
            assert re.search(r"gallbladder (is|was|has|absent)|cholecystectomy", text, re.I)
        assert not re.search(
            r"no gallstones|gallbladder (normal|unremarkable)|both kidneys|left kidney (is )?normal",
            report.findings,
            re.I,
        )


def organ_of(finding: Finding) -> str:
    return f"{finding.side} pleura" if finding.structure == "pleura" else SIDED_OF[finding.structure]


SIDED_OF = {
    "kidney_left": "left kidney",
    "kidney_right": "right kidney",
    "lung_upper_lobe_left": "left upper lobe",
    "lung_lower_lobe_left": "left lower lobe",
    "lung_upper_lobe_right": "right upper lobe",
    "lung_middle_lobe_right": "right middle lobe",
    "lung_lower_lobe_right": "right lower lobe",
}
SIDED = {*SIDED_OF.values(), "left pleura", "right pleura"}


def test_a_report_tells_what_is_shown_and_no_more(reports: list[tuple[Patient, ScanContent, PhantomReport]]) -> None:
    for who, content, report in reports:
        abnormal = {organ for organ, status in captions(report.findings) if status == "abnormal"}
        assert bool(abnormal) == bool(content.findings), report.findings
        expected = {organ_of(f) for f in content.findings if f.side}
        assert expected == {organ for organ in abnormal if organ in SIDED}, report.findings
        for f in content.findings:
            if f.size_mm and f.kind not in ("pleural_effusion", "consolidation"):
                assert re.search(rf"\b({f.size_mm:.0f} mm|{f.size_mm / 10:.1f} cm)", report.findings), f
        sizes = {float(size) for size in re.findall(r"(\d+) mm", report.impression)}
        lengths = set(content.length_mm.values())
        assert sizes <= {f.size_mm for f in content.findings} | lengths
        assert set(content.findings) <= set(who.findings)


FOREIGN = {
    "chest": r"bladder|kidney|renal|sacrum|pelvi|psoas|lumbar|pancrea|\bL[1-5]\b",
    "abdomen pelvis": r"\blungs?\b|heart|cardi|trachea|esophagus|\blobe|thoracic",
    "abdomen": r"\blungs?\b|heart|trachea|urinary|sacrum|hip",
    "chest upper abdomen": r"urinary|sacrum|psoas|hip bone",
}


@pytest.mark.parametrize("field", FOREIGN)
def test_nothing_outside_the_field_of_view_is_spoken_of(field: str) -> None:
    abnormal = (
        Finding("distended_bladder", "urinary_bladder", factor=1.5),
        Finding("lung_nodule", "lung_upper_lobe_right", "right", 20, direction=(0.0, 1.0, 0.0)),
        Finding("compression_fracture", "vertebrae_L4", factor=0.6),
        Finding("cardiomegaly", "heart", factor=1.2),
    )
    for findings in ((), abnormal):
        who, content = scan(*findings, field=field)
        for seed in range(8):
            report = write_report(Patient(**{**vars(who), "seed": (seed, 0)}), content)
            assert not re.search(FOREIGN[field], f"{report.findings} {report.impression}", re.I), report.findings


def test_nothing_is_called_normal_beside_a_finding_that_is_cut() -> None:
    """A cyst at the end of the scan is not mentioned, and its organ is not called normal."""
    who, content = scan(Finding("liver_cyst", "liver", size_mm=40, direction=(0.6, 0.0, -0.8)))
    hidden = ScanContent(content.structures, (), content.volumes_ml, content.length_mm)
    topic = next(topic for topic in TOPICS if topic.name == "liver")
    assert ReportWriter(who, hidden, "full", np.random.default_rng(0)).topic(topic) == []
    assert len(ReportWriter(who, content, "full", np.random.default_rng(0)).topic(topic)) == 1


def test_reports_differ_in_style_and_words(reports: list[tuple[Patient, ScanContent, PhantomReport]]) -> None:
    assert {report.style for *_, report in reports} == STYLES.keys()
    assert len({report.findings for *_, report in reports}) == len(reports)
    words = sorted(len(f"{report.findings} {report.impression}".split()) for *_, report in reports)
    assert words[0] >= 20 and 60 <= words[len(words) // 2] <= 160 and words[-1] <= 220


def test_organs_that_are_called_normal_together_each_get_a_caption() -> None:
    who, content = scan()
    merged = 0
    for seed in range(30):
        report = write_report(Patient(**{**vars(who), "seed": (seed, 1)}), content)
        if match := re.search(
            r"(?:The )?([^.:]+) and (?:stomach|pancreas|urinary bladder|inferior vena cava)\b[^.]*\.", report.findings
        ):
            merged += 1
            assert len(captions(match.group())) >= 2 and {status for _, status in captions(match.group())} == {"normal"}
    assert merged > 3


def test_reports_make_captions(reports: list[tuple[Patient, ScanContent, PhantomReport]]) -> None:
    assert np.mean([len(captions(report.findings)) for *_, report in reports]) > 12
