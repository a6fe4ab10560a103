"""Which paths an agent may name, and which ways out of the folders are closed."""

import os
from pathlib import Path

import pytest

from curation.mcp_server.allowed_paths import AllowedPaths, links_below
from curation.runtime.errors import InputError


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that may be read, one for output, and one beside them that may not be reached."""
    for name in ("given/inner", "out", "secret"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("given/reports.csv", "given/inner/more.csv", "secret/key.csv"):
        (tmp_path / name).write_text("report\nThe liver is normal.\n")
    return tmp_path


@pytest.fixture
def paths(place: Path) -> AllowedPaths:
    return AllowedPaths([place / "given"], place / "out")


def test_files_below_the_folders_may_be_read(paths: AllowedPaths, place: Path) -> None:
    for given in ("reports.csv", "inner", "inner/../reports.csv", "./inner/more.csv", "../given/reports.csv"):
        assert paths.to_read(given) == (place / "given" / given).resolve()
    (place / "out/set").mkdir()
    assert paths.to_read(str(place / "out/set")) == place / "out/set"
    (place / "given/link.csv").symlink_to(place / "given/inner/more.csv")
    assert paths.to_read("link.csv") == place / "given/inner/more.csv"
    assert paths.to_read(".") == place / "given"


@pytest.mark.parametrize(
    "given",
    [
        "../secret/key.csv",
        "inner/../../secret/key.csv",
        "/etc/passwd",
        "..",
        "../given2",
        "../secret/there-is-no-such-file",
        "~/../secret",
        "/proc/self/root/etc/passwd",
    ],
)
def test_nothing_else_may_be_read(paths: AllowedPaths, place: Path, given: str) -> None:
    (place / "given2").mkdir()  # begins like the folder that may be read
    with pytest.raises(InputError) as raised:
        paths.to_read(given)
    assert "outside of" in str(raised.value) or given.startswith("~")


@pytest.mark.parametrize(
    ("given", "told"), [("s3://bucket/a.csv", "of this machine"), ("", "1 to 1,000"), ("a\0b", "1 to")]
)
def test_what_is_no_path_is_told(paths: AllowedPaths, place: Path, given: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        paths.to_read(given)
    with pytest.raises(InputError, match="no such file"):
        paths.to_read("nothing.csv")
    os.mkfifo(place / "given/pipe.csv")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        paths.to_read("pipe.csv")
    with pytest.raises(InputError, match="1 to 1,000"):
        paths.to_read("a/" * 501)


def test_links_are_followed_and_judged_by_where_they_lead(paths: AllowedPaths, place: Path) -> None:
    (place / "given/away.csv").symlink_to(place / "secret/key.csv")
    with pytest.raises(InputError, match="outside of"):
        paths.to_read("away.csv")
    with pytest.raises(InputError, match=r"away\.csv: this link leads out of"):
        paths.to_read(".")
    (place / "given/away.csv").unlink()
    (place / "out/deep").mkdir()
    (place / "out/deep/away.csv").symlink_to(place / "secret/key.csv")
    (place / "given/inner/on").symlink_to(place / "out/deep")
    with pytest.raises(InputError, match="leads out of"):
        paths.to_read("inner")
    (place / "given/round").symlink_to(place / "given/round")
    with pytest.raises(InputError):
        paths.to_read("round")


def test_links_in_a_circle_end(place: Path) -> None:
    (place / "given/inner/up").symlink_to(place / "given")
    assert [link.name for link in links_below(place / "given")].count("up") <= 3


def test_output_gets_a_name_in_its_folder(paths: AllowedPaths, place: Path) -> None:
    assert paths.to_write("captions-1.nii.gz") == place / "out/captions-1.nii.gz"
    for name in ("", ".", "..", "../x", "a/b", "/etc/x", ".hidden", "-rf", "a..b", "a\0", "a\n", "x" * 101, "Ü"):
        with pytest.raises(InputError, match="a name is expected"):
            paths.to_write(name)
    (place / "out/link").symlink_to(place / "secret")
    with pytest.raises(InputError, match="is a link"):
        paths.to_write("link")
    (place / "out/set").mkdir()
    (place / "out/set/captions").symlink_to(place / "secret")
    with pytest.raises(InputError, match="leads out of"):
        paths.to_write("set")
    with pytest.raises(InputError, match="--out-folder"):
        AllowedPaths([place / "given"]).to_write("captions")


def test_folders_are_checked_at_the_start(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(place))
    for folder in (Path("/"), place):
        with pytest.raises(InputError, match="holds more than reports"):
            AllowedPaths([folder])
    with pytest.raises(InputError, match="is no folder"):
        AllowedPaths([place / "given/reports.csv"])
    with pytest.raises(InputError, match="is no folder"):
        AllowedPaths([place / "given"], place / "given/reports.csv")
    AllowedPaths([place / "given"], place / "new/out")
    assert (place / "new/out").is_dir()
