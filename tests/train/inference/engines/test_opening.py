"""Which engine a command line means, and what does not go together."""

from pathlib import Path

import pytest

from train.inference.engines.opening import check_choice
from train.inference.errors import SegmentError


@pytest.mark.parametrize(
    ("name", "checkpoint", "fetch", "told"),
    [
        ("nnunet", None, False, "--engine nnunet: checkpoint, totalsegmentator"),
        ("checkpoint", None, False, "segment needs --checkpoint"),
        ("checkpoint", Path("runs"), True, "--fetch-weights goes with --engine totalsegmentator"),
        ("totalsegmentator", Path("runs"), False, "leave --checkpoint out"),
    ],
)
def test_what_does_not_go_together_is_told(name: str, checkpoint: Path | None, fetch: bool, told: str) -> None:
    with pytest.raises(SegmentError, match=told):
        check_choice(name, checkpoint, fetch=fetch)
