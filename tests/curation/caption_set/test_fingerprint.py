"""The fingerprint of an input, and what shows that it has changed."""

import os
from pathlib import Path

import pytest

from curation.caption_set.fingerprint import WatchedInput, fingerprint
from curation.runtime.errors import InputError


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    one.write_text("id,text\n1,a\n")
    two.write_text("id,text\n1,b\n")
    assert fingerprint(one)[0].sha256 != fingerprint(two)[0].sha256
    two.write_text("id,text\n1,a\n")
    assert fingerprint(one)[0].sha256 == fingerprint(two)[0].sha256
    assert fingerprint(one)[0].bytes == 12


def test_a_folder_has_a_fingerprint_of_its_report_files(tmp_path: Path) -> None:
    folder = tmp_path / "reports"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("Liver is normal.")
    (folder / "deep" / "b.txt").write_text("Spleen is normal.")
    before, rows = fingerprint(folder)
    assert (before.files, rows) == (2, 2)
    (folder / "notes.md").write_text("not a report")
    assert fingerprint(folder)[0] == before
    (folder / "deep" / "b.txt").rename(folder / "c.txt")
    assert fingerprint(folder)[0].sha256 != before.sha256


def test_every_file_that_is_read_is_in_the_fingerprint_and_in_the_stamp(tmp_path: Path) -> None:
    for name, text in (("a.txt", "Liver."), ("b.dat", r"{\rtf1 Liver.}"), ("c", "MSH|^~\\&|A\rOBX|1|TX|||Liver.\r")):
        (tmp_path / name).write_text(text)
        before, watched = fingerprint(tmp_path)[0], WatchedInput(tmp_path)
        (tmp_path / name).write_text(text.replace("Liver", "Spleen"))
        assert fingerprint(tmp_path)[0].sha256 != before.sha256 and watched.has_changed()
    assert before.files == 3
    before, watched = fingerprint(tmp_path)[0], WatchedInput(tmp_path)
    (tmp_path / "captions").mkdir()
    (tmp_path / "captions" / "manifest.json").write_text("{}")
    (tmp_path / "captions" / "a.txt").write_text("Liver.")
    (tmp_path / "table.csv").write_text("id,report\n1,Liver.\n")
    assert fingerprint(tmp_path)[0] == before and not watched.has_changed()


@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        ("a.csv", 'id,text\n1,"two\nlines"\n2,x\n', 3),
        ("a.csv", 'id,text\n1,"a ""quoted"" word\n and on"\n', 2),
        ("a.jsonl", '{"text": "a\\nb"}\n{"text": "c"}\n', 2),
        ("a.csv.gz", "whatever\n", None),
        ("a.txt", "MSH|^~\\&|A\rPID|1\rMSH|^~\\&|MSH\r\nOBX|1|TX|||MSH\rMSH|^~\\&|A\r", 3),
        ("a.csv", "BHS|^\r\x0bMSH|^~\\&|A\r\x1c\r\x0bMSH|^~\\&|A\r\x1c\rBTS|2\r", 2),
        ("a.json", '{"resourceType": "Bundle"}', None),
    ],
)
def test_rows_are_estimated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, rows: int | None
) -> None:
    (tmp_path / name).write_text(text)
    assert fingerprint(tmp_path / name)[1] == rows
    monkeypatch.setattr("curation.caption_set.fingerprint.PIECE_BYTES", 5)
    assert fingerprint(tmp_path / name)[1] == rows


def test_a_change_is_told_and_a_pipe_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("a")
    watched = WatchedInput(path)
    assert not watched.has_changed()
    path.write_text("ab")
    assert watched.has_changed()
    path.unlink()
    assert watched.has_changed()
    with pytest.raises(InputError, match="no such file"):
        WatchedInput(tmp_path / "none.csv")
    with pytest.raises(InputError, match="pipe"):
        WatchedInput(Path("/dev/null"))


def test_a_change_of_the_same_size_and_time_is_told_and_one_of_permissions_is_none(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("a")
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    watched = WatchedInput(path)
    watched.content = fingerprint(path)[0]
    path.chmod(0o600)
    assert not watched.has_changed()
    (tmp_path / "copy").write_text("a")
    os.utime(tmp_path / "copy", ns=times)
    (tmp_path / "copy").rename(path)
    assert not watched.has_changed()
    (tmp_path / "copy").write_text("b")
    os.utime(tmp_path / "copy", ns=times)
    (tmp_path / "copy").rename(path)
    assert watched.has_changed()
