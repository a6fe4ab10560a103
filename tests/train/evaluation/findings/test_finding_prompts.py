"""The prompts of findings: those that are shipped, and a site's own."""

from pathlib import Path

import pytest

from examples.phantoms.finding_labels import COLUMNS
from train.evaluation.findings.finding_prompts import load_finding_prompts
from train.evaluation.record import EvaluationError

CT_RATE = (
    "Medical material", "Arterial wall calcification", "Cardiomegaly", "Pericardial effusion",
    "Coronary artery wall calcification", "Hiatal hernia", "Lymphadenopathy", "Emphysema", "Atelectasis",
    "Lung nodule", "Lung opacity", "Pulmonary fibrotic sequela", "Pleural effusion", "Mosaic attenuation pattern",
    "Peribronchial thickening", "Consolidation", "Bronchiectasis", "Interlobular septal thickening",
)  # fmt: skip


def test_the_findings_of_ct_rate_and_of_the_phantoms_have_prompts() -> None:
    prompts = load_finding_prompts()
    assert set(prompts) == {*CT_RATE, *COLUMNS} and list(prompts)[:18] == list(CT_RATE)
    assert all(finding.present != finding.absent for finding in prompts.values())


def test_a_site_adds_findings_and_replaces_some(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    file.write_text(
        "Gout: {organ: bones, present: Tophi, absent: No tophi}\nCardiomegaly: {organ: heart, present: a, absent: b}\n"
    )
    prompts = load_finding_prompts(file)
    assert prompts["Gout"].present == "Tophi" and prompts["Cardiomegaly"].absent == "b" and len(prompts) > 40


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Gout: Tophi", "'Gout': it: .*a finding is {organ: …, present: …, absent: …}"),
        ("Gout: {organ: bones, present: Tophi}", "'Gout': absent: Field required"),
        ("Gout: {organ: bonez, present: a, absent: b}", "'Gout': organ: 'bonez' is not in the vocabulary"),
        ("Gout: {organ: bones, present: a, absent: b, side: left}", "'Gout': side: Extra inputs"),
        ("- a", "is not a set of keys"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(EvaluationError, match=rf"own\.yaml.*{message}"):
        load_finding_prompts(tmp_path / "own.yaml")
    with pytest.raises(EvaluationError, match=r"--finding-prompts .*none"):
        load_finding_prompts(tmp_path / "none.yaml")
