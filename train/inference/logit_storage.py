"""Room for logits and features of a whole volume: float16 arrays in memory, or in temporary files without a name.

Up to a gigabyte stays in memory. A file without a name leaves nothing behind, however the process ends.
"""

import mmap
import os
import sys
import tempfile

import numpy as np
from torch import Tensor

from .errors import LogitStorageError

IN_MEMORY_BYTES = 1 << 30
# Half precision ends at 65504, and a logit of that size is as sure as can be.
LARGEST_LOGIT = 6e4


def allocate(shape: tuple[int, ...]) -> np.ndarray:
    """Return a float16 array, in memory or in a temporary file that vanishes with it.

    Raises LogitStorageError if the disk has no room.
    """
    size = 2 * int(np.prod(shape, dtype=np.int64))
    if size <= IN_MEMORY_BYTES:
        return np.empty(shape, np.float16)
    with tempfile.TemporaryFile() as file:
        try:
            # A file with holes would end the process, not the call, when the disk is full.
            if sys.platform == "linux":
                os.posix_fallocate(file.fileno(), 0, size)
            else:
                file.truncate(size)
        except OSError as error:
            raise LogitStorageError(
                f"no room for {size / 2**30:.1f} GiB of the network's features in {tempfile.gettempdir()} "
                f"({error.strerror}): set TMPDIR to a folder on a larger disk"
            ) from error
        return np.memmap(file, np.float16, "r+", shape=shape)


def store(stored: np.ndarray, start: int, values: Tensor) -> None:
    """Write a slab of values (K, n, H, W) into an array (K, D, H, W), from the slice `start` on."""
    stored[:, start : start + values.shape[1]] = values.clamp(-LARGEST_LOGIT, LARGEST_LOGIT).half().cpu().numpy()
    release_pages(stored)


def release_pages(stored: np.ndarray) -> None:
    """Let pages of a file that were read or written leave this process' memory; the system keeps or writes them."""
    base: object = stored
    while isinstance(base, np.ndarray):
        base = base.base
    if sys.platform == "linux" and isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)
