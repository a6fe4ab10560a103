from pathlib import Path

import pytest

from curation.runtime.errors import InputError
from train.export.whole_folder import whole_folder


def write(out: Path, name: str = "a.txt", *, kind: str = "test export", overwrite: bool = False) -> None:
    with whole_folder(out, kind, overwrite=overwrite) as folder:
        (folder / "below").mkdir()
        (folder / "below" / name).write_text(name)


def test_a_folder_is_there_as_a_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "new" / "out", "test export") as folder:
        (folder / "half").write_text("half")
        raise ZeroDivisionError
    assert not (tmp_path / "new" / "out").exists()
    write(tmp_path / "new" / "out")
    assert (tmp_path / "new" / "out" / "below" / "a.txt").read_text() == "a.txt"
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out"]


def test_what_a_killed_export_left_is_written_over(tmp_path: Path) -> None:
    (tmp_path / ".out.tmp" / "content").mkdir(parents=True)
    (tmp_path / ".out.tmp" / "content" / "half").write_text("half")
    write(tmp_path / "out")
    assert not (tmp_path / "out" / "half").exists() and not (tmp_path / ".out.tmp").exists()


def test_only_an_export_of_the_same_kind_is_replaced_and_only_when_asked(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out)
    with pytest.raises(InputError, match="is there already: name another --out, or say --overwrite"):
        write(out, "b.txt")
    write(out, "b.txt", overwrite=True)
    assert [path.name for path in (out / "below").iterdir()] == ["b.txt"]
    with pytest.raises(InputError, match="no folder of a other export"):
        write(out, "c.txt", kind="other export", overwrite=True)
    (out / "below" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"mine\.txt was not made by an export"):
        write(out, "c.txt", overwrite=True)
    assert {path.name for path in (out / "below").iterdir()} == {"b.txt", "mine.txt"}


def test_a_file_and_another_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is no folder; --out names the folder to write"):
        write(tmp_path / "file")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty and holds no test export"):
        write(tmp_path / "full", overwrite=True)
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty")
    assert (tmp_path / "empty" / "below").is_dir()


def test_two_exports_do_not_write_one_folder(tmp_path: Path) -> None:
    with whole_folder(tmp_path / "out", "test export"), pytest.raises(InputError, match="is writing"):
        write(tmp_path / "out")
