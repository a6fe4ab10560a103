"""An error of the machine's as one line: what failed, the way out, and what is left."""

import errno

import pytest
import typer

from curation.cli.errors import errors_reported


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.ENOSPC, "free space on its disk, then call it again"),
        (errno.EDQUOT, "make room in your quota, then call it again"),
        (errno.EIO, "see whether its disk is well, then call it again"),
        (errno.EACCES, "allow writing there, then call it again"),
        (errno.EROFS, "allow writing there, then call it again"),
        (errno.ECONNRESET, "(call it again)"),
    ],
)
def test_an_error_of_the_machine_has_a_way_out(number: int, way_out: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended, errors_reported(False, "what is finished is kept"):
        raise OSError(number, "the reason", "a/file")
    told = capsys.readouterr().err
    assert ended.value.exit_code == 1 and way_out in told
    assert told.startswith("ovct: cannot go on: ") and "'a/file'" in told
    assert told.endswith("; what is finished is kept\n")
