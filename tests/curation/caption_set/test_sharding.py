"""Shards of an input, as they are written and how large they are."""

import pytest

from curation.caption_set.sharding import Shard
from curation.runtime.errors import InputError


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "a/b", "1/0", "-1/3", ""])
def test_a_wrong_shard_is_told(text: str) -> None:
    with pytest.raises(InputError, match="expected I/N with I from 1 to N, such as 3/16"):
        Shard.read(text)


@pytest.mark.parametrize("reports", range(0, 40, 3))
def test_sizes_add_up(reports: int) -> None:
    shards = [Shard(number, 4) for number in range(1, 5)]
    sizes = [shard.size(reports, 5) for shard in shards]
    assert sum(sizes) == reports
    assert sizes == [len(list(shard.select(list(range(reports)), 5))) for shard in shards]  # type: ignore[arg-type]
