"""Modalities and body parts in the names of examinations."""

from __future__ import annotations

import pytest

from curation.readers.examinations.modalities import body_part_in, modalities_in, modality_of_code


@pytest.mark.parametrize(
    ("name", "modalities", "part"),
    [
        ("CT THORAX W/O CONTRAST", "CT", "thorax"),
        ("CTA neck with and without IV contrast", "CT", "neck"),
        ("Computed tomography of the lungs", "CT", "lungs"),
        ("MR ENTEROGRAPHY", "MR", ""),
        ("magnetic resonance imaging, left hip", "MR", "left hip"),
        ("mr angio carotids", "MR", "carotids"),
        ("CT angiography of both legs", "CT", "both legs"),
        ("Angiogram, renal arteries", "angiography", "renal arteries"),
        ("US doppler left leg", "US", "left leg"),
        ("Sonogram of the thyroid", "US", "thyroid"),
        ("CXR 2 views", "radiograph", ""),
        ("Radiographs of the right hand and wrist", "radiograph", "right hand and wrist"),
        ("PETCT whole body", "PET/CT", "whole body"),
        ("SPECT-CT of the spine", "NM/CT", "spine"),
        ("Barium swallow", "fluoroscopy", "swallow"),
        ("CT fluoroscopy guided biopsy", "CT", ""),
        ("Screening mammogram", "mammography", ""),
        ("NM THYROID UPTAKE", "NM", "thyroid uptake"),
        ("71260^CT CHEST W CONTRAST^CPT", "CT", "chest"),
        ("Mr. Smith, thorax", "", "smith thorax"),
        ("Contact with us, direct", "", "contact us direct"),
    ],
)
def test_names_of_examinations(name: str, modalities: str, part: str) -> None:
    assert "/".join(modalities_in(name)) == modalities
    assert body_part_in(name) == part


@pytest.mark.parametrize(
    ("cell", "modalities"),
    [
        ("CT", "CT"), ("mr", "MR"), ("['CT', 'SR']", "CT"), ("PT\\CT", "PET/CT"), ("DX", "radiograph"),
        ("RF", "fluoroscopy"),
        ("OT", ""), ("CT of the chest", ""), ("", ""),
    ],
)  # fmt: skip
def test_codes(cell: str, modalities: str) -> None:
    assert "/".join(modality_of_code(cell)) == modalities
