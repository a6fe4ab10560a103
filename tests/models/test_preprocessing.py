"""What a checkpoint says of the volumes that its network takes."""

from typing import Any

import pytest

from models.preprocessing import PUBLISHED_PREPROCESSING, Preprocessing


def test_published_weights_take_z_scores_at_one_and_a_half_millimetres() -> None:
    assert PUBLISHED_PREPROCESSING.spacing_mm == (1.5, 1.5, 1.5)
    assert PUBLISHED_PREPROCESSING.normalisation == "zscore" and PUBLISHED_PREPROCESSING.hu_window is None


@pytest.mark.parametrize("orientation", ["RAS", "SAR", "LPS", "IPL"])
def test_orientations(orientation: str) -> None:
    assert (
        Preprocessing(spacing_mm=(1, 2, 3), orientation=orientation, normalisation="zscore").orientation == orientation
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"orientation": "RAI S"}, "orientation 'RAI S': one of L R"),
        ({"orientation": "RLS"}, "one of L R, one of A P, one of I S"),
        ({"orientation": "ras"}, "one of L R"),
        ({"spacing_mm": (1, 0, 1)}, "greater than 0"),
        ({"spacing_mm": (1, float("nan"), 1)}, "finite|greater"),
        ({"normalisation": "minmax"}, "zscore"),
        ({"normalisation": "window"}, "hu_window goes with"),
        ({"hu_window": (-1000, 1000)}, "hu_window goes with"),
        ({"normalisation": "window", "hu_window": (5, 5)}, "the lower end first"),
    ],
)
def test_what_is_wrong_is_refused(changes: dict[str, Any], message: str) -> None:
    settings: dict[str, Any] = {"spacing_mm": (1.5, 1.5, 1.5), "orientation": "SAR", "normalisation": "zscore"}
    with pytest.raises(ValueError, match=message):
        Preprocessing(**(settings | changes))
