"""Files that are written as a whole or not at all."""

from pathlib import Path

import pytest

from curation.runtime.files import whole_file, write_text


def test_a_whole_file_or_none(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(RuntimeError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    write_text(path, "one")
    write_text(path, "zwei ä")
    assert path.read_text(encoding="utf-8") == "zwei ä"
    assert list(tmp_path.iterdir()) == [path]
