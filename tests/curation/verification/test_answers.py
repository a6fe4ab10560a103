"""What the verifier answers: the passages that are the evidence, in the order of the report."""

from __future__ import annotations

import pytest

from curation.verification.answers import merged_spans

from .caption_cases import verify


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        pytest.param([], (), id="none"),
        pytest.param([(0, 4)], ((0, 4),), id="one"),
        pytest.param([(12, 16), (0, 4)], ((0, 4), (12, 16)), id="in the order of the text"),
        pytest.param([(0, 4), (0, 4)], ((0, 4),), id="the same twice"),
        pytest.param([(0, 8), (6, 10)], ((0, 10),), id="overlapping"),
        pytest.param([(0, 10), (6, 8)], ((0, 10),), id="one inside the other"),
        pytest.param([(0, 4), (12, 16)], ((0, 4), (12, 16)), id="with words between them"),
        pytest.param([(6, 10), (12, 16)], ((6, 16),), id="with nothing but a stop between them"),
    ],
)
def test_spans_are_merged_where_nothing_stands_between_them(
    spans: list[tuple[int, int]], expected: tuple[tuple[int, int], ...]
) -> None:
    assert merged_spans(spans, "Cyst. Mass. Node") == expected


LIVER = "The liver is enlarged. No ascites. A cyst in the liver.\n\nThe spleen is normal."


@pytest.mark.parametrize(
    ("organ", "caption", "passages"),
    [
        pytest.param("liver", "Enlarged liver", ["The liver is enlarged."], id="one statement"),
        pytest.param(
            "liver",
            "Enlarged liver. A cyst in the liver.",
            ["The liver is enlarged.", "A cyst in the liver."],
            id="two statements with another between them",
        ),
        pytest.param(
            "liver",
            "A cyst in the liver. Enlarged liver.",
            ["The liver is enlarged.", "A cyst in the liver."],
            id="in the order of the report, not of the caption",
        ),
        pytest.param("spleen", "Enlarged spleen", ["The spleen is normal."], id="refused: what comes nearest"),
        pytest.param("spleen", "Dilated ducts", [], id="refused: nothing comes near"),
    ],
)
def test_the_spans_are_the_passages_of_the_evidence(organ: str, caption: str, passages: list[str]) -> None:
    verification = verify(LIVER, organ, caption)
    assert [LIVER[start:end] for start, end in verification.spans] == passages
    assert (verification.start, verification.end) == (verification.spans[0] if passages else (-1, -1))
