"""`python -m examples.phantoms OUT`: write phantoms."""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from examples.phantoms.files import PhantomError, claim_phantoms, prepare_folder, write_phantom, write_tables


def main(arguments: Sequence[str] | None = None) -> int:
    """Write phantoms; return 0, or 2 where the call was wrong."""
    options = _parse_options(arguments)
    try:
        prepare_folder(options.out, options.overwrite)
        claim_phantoms(options.out, options.count)
    except (PhantomError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    make = partial(write_phantom, options.out, options.seed)
    rows = []
    if options.jobs == 1:
        for number in range(options.count):
            rows.append(make(number))
            _show_progress(len(rows), options.count)
    else:
        with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
            for row in pool.map(make, range(options.count), chunksize=1):
                rows.append(row)
                _show_progress(len(rows), options.count)
    write_tables(options.out, options.seed, rows)
    print(f"{options.count} phantoms in {options.out}")
    return 0


def _parse_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m examples.phantoms",
        description="Write torso phantoms: CT-like volumes with exact masks in TotalSegmentator's layout "
        "(OUT/dataset), a report for each (OUT/reports.csv), what is true of each (OUT/truth.csv), and its findings as "
        "labels for `ovct evaluate --findings` (OUT/findings.csv). The same seed gives the same bytes.",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="folder to write into")
    parser.add_argument("--count", type=_positive, default=300, help="how many phantoms (default: 300)")
    parser.add_argument("--seed", type=_natural, default=0, help="another seed, other phantoms (default: 0)")
    parser.add_argument(
        "--jobs", type=_positive, default=os.cpu_count() or 1, help="processes (default: one for each core)"
    )
    parser.add_argument("--overwrite", action="store_true", help="write anew where phantoms stand already")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number}: at least 1")
    return number


def _natural(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{number}: 0 or more")
    return number


def _show_progress(done: int, count: int) -> None:
    """Print each number on a terminal, elsewhere each hundredth and the last: a log is no place for a counter."""
    if sys.stderr.isatty():
        print(f"\r{done} of {count} phantoms", end="\n" if done == count else "", file=sys.stderr, flush=True)
    elif done == count or done % 100 == 0:
        print(f"{done} of {count} phantoms", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
