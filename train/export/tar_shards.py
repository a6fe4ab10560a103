"""Pairs as WebDataset: plain tar files in which the files of a sample stand together and share the name up to its dot.

The layout is that of the ``webdataset`` package (its readers group consecutive files by what stands before the first
dot of the name). The same pairs give the same bytes.
"""

import io
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from curation.runtime.files import PRIVATE_FILE, whole_file

BLOCK = 512
# Two empty blocks end a tar file, which is filled up to a whole record.
END, RECORD = 2 * BLOCK, 20 * BLOCK


class Sample(NamedTuple):
    """The files of one pair: the volume, with the ending that it has, and small files by theirs."""

    key: str
    volume: Path
    suffix: str
    texts: dict[str, bytes]

    def size(self) -> int:
        """Return the bytes that the sample takes in a tar file."""
        sizes = [self.volume.stat().st_size, *map(len, self.texts.values())]
        return sum(BLOCK + -(-size // BLOCK) * BLOCK for size in sizes)


def shards_of(samples: Iterable[Sample], shard_bytes: int) -> Iterator[list[Sample]]:
    """Divide samples, in their order, into shards of at most so many bytes; a larger sample has one of its own."""
    shard: list[Sample] = []
    size = END
    for sample in samples:
        if shard and -(-(size + sample.size()) // RECORD) * RECORD > shard_bytes:
            yield shard
            shard, size = [], END
        shard.append(sample)
        size += sample.size()
    if shard:
        yield shard


def write_shard(path: Path, samples: Iterable[Sample], after_each: Callable[[], None]) -> None:
    """Write one tar file, whole or not at all; ``after_each`` is called behind each sample and may raise to stop."""
    with whole_file(path, PRIVATE_FILE) as temporary, tarfile.open(temporary, "w", format=tarfile.GNU_FORMAT) as tar:
        for sample in samples:
            with sample.volume.open("rb") as volume:
                entry = _entry(f"{sample.key}{sample.suffix}", sample.volume.stat().st_size)
                tar.addfile(entry, volume)
            for ending, content in sample.texts.items():
                tar.addfile(_entry(f"{sample.key}.{ending}", len(content)), io.BytesIO(content))
            after_each()


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o644
    return entry
