"""What is said of a section of an organ, or of one of several of its kind, is not said of all of it."""

from __future__ import annotations

import pytest

from curation.caption import Reason

from ..caption_cases import assert_accepted, assert_refused

WIDENED = [
    ("Included upper poles of the kidneys normal.", "kidneys", "The kidneys are normal."),
    ("The lower pole of the right kidney is normal.", "right kidney", "The right kidney is normal."),
    ("Lower poles of both kidneys unremarkable.", "kidneys", "The kidneys are unremarkable."),
    ("Imaged upper part of the spleen unremarkable.", "spleen", "The spleen is unremarkable."),
    ("Lower half of the liver normal.", "liver", "The liver is normal."),
    ("Partially included spleen normal.", "spleen", "The spleen is normal."),
    ("No cyst in the visualized portions of the kidneys.", "kidneys", "No renal cyst."),
    ("No hydronephrosis of the transplant kidney; the native kidneys are small.", "kidneys", "No hydronephrosis."),
    ("No stones in the native kidneys.", "kidneys", "No renal stones."),
    ("The transplanted kidney in the left iliac fossa is normal.", "left kidney", "The left kidney is normal."),
    ("The kidney allograft has no stones.", "kidneys", "No renal stones."),
    ("No stenosis of the graft renal artery.", "renal artery", "No renal artery stenosis."),
]

KEPT = [
    ("The lower pole of the right kidney is normal.", "right kidney", "The lower pole of the right kidney is normal."),
    ("Visualized portions of the brain are unremarkable.", "brain", "Visualized brain is unremarkable."),
    ("Visualized spleen is normal.", "spleen", "Visualized spleen is normal."),
    ("The transplanted kidney is unremarkable.", "kidneys", "The transplanted kidney is unremarkable."),
    ("No stones in the native kidneys.", "kidneys", "No stones in the native kidneys."),
    ("The native kidneys are atrophic.", "kidneys", "Atrophic native kidneys."),
    ("Cyst in the lower pole of the right kidney.", "right kidney", "Right renal cyst."),
    ("The transplanted liver is normal in size.", "liver", "The liver is normal in size."),
]


@pytest.mark.parametrize(("report", "organ", "caption"), WIDENED)
def test_a_section_is_not_all_of_an_organ(report: str, organ: str, caption: str) -> None:
    assert_refused(report, organ, caption, tuple(Reason))


@pytest.mark.parametrize(("report", "organ", "caption"), KEPT)
def test_what_names_the_section_or_less_follows(report: str, organ: str, caption: str) -> None:
    assert_accepted(report, organ, caption)
