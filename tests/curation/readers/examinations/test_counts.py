"""What is told of reports that are no CT."""

from __future__ import annotations

import pytest

from curation.readers.examinations.counts import count_examinations, others_told, read_modality
from curation.report import Examination, Modality, Report
from curation.runtime.errors import InputError


def test_others_are_told_with_the_way_out() -> None:
    counts = {"CT": 7, "PET/CT": 1, "MR": 2, "US": 9, "unknown": 1_000}
    assert others_told(counts) == (
        "11 of 1,019 reports are no CT: 9 US, 2 MR (--modality ct leaves them out; of 1,000 it is unknown)"
    )
    assert others_told({"MR": 1}, "ct") == "1 of 1 reports is no CT: 1 MR (left out)"
    assert others_told({"CT": 1, "MR": 1}, "mr") == "1 of 2 reports is no MR: 1 CT (left out)"
    assert others_told({"CT": 3, "unknown": 5}) is None


def test_counts_by_name() -> None:
    examinations = [Examination(), Examination((Modality.PET, Modality.CT)), Examination()]
    reports = [Report("a", "text", (), {}, 1, examination) for examination in examinations]
    assert count_examinations(reports) == {"unknown": 2, "PET/CT": 1}


def test_names_of_modalities() -> None:
    assert read_modality(" Ct ") is Modality.CT
    with pytest.raises(InputError, match="--modality xr: no modality of this name; expected one of ct, mr"):
        read_modality("xr")
