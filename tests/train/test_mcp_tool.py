"""The tool on scans: headers that name other files, and a server without a network."""

from pathlib import Path

import pytest

from curation.mcp_server.allowed_paths import AllowedPaths
from curation.runtime.errors import InputError
from curation.runtime.progress import Progress
from train.mcp_tool import SegmentTool, check_data_files
from train.scans.errors import ScanError


@pytest.fixture
def paths(tmp_path: Path) -> AllowedPaths:
    (tmp_path / "scans").mkdir()
    (tmp_path / "secret.raw").write_bytes(b"0" * 100)
    return AllowedPaths([tmp_path / "scans"])


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a.mhd", b"NDims = 3\nElementDataFile = ../secret.raw\n"),
        ("a.mhd", b"NDims = 3\nElementDataFile : /etc/passwd\n"),
        ("a.mha", b"NDims = 3\nElementDataFile = ../secret.raw\n"),
        ("a.mhd", b"ElementDataFile = LIST\n../secret.raw\n"),
        ("a.nhdr", b"NRRD0004\ndata file: ../secret.raw\n"),
    ],
)
def test_a_header_cannot_name_a_file_elsewhere(paths: AllowedPaths, tmp_path: Path, name: str, header: bytes) -> None:
    (tmp_path / "scans" / name).write_bytes(header)
    with pytest.raises(ScanError, match="not below its own folder"):
        check_data_files(tmp_path / "scans" / name, paths)


@pytest.mark.parametrize(
    ("name", "header"), [("a.MHD", b"ElementDataFile = a.raw\n"), ("a.nrrd", b"NRRD0004\ndata file: a.raw\n\n")]
)
def test_a_link_beside_a_header_is_followed_before_it_is_judged(
    paths: AllowedPaths, tmp_path: Path, name: str, header: bytes
) -> None:
    (tmp_path / "scans/a.raw").symlink_to(tmp_path / "secret.raw")
    (tmp_path / "scans" / name).write_bytes(header)
    with pytest.raises(InputError, match="leads out of"):
        check_data_files(tmp_path / "scans" / name, paths)
    with pytest.raises(InputError, match="leads out of"):
        paths.to_read(".")
    (tmp_path / "scans/a.raw").unlink()
    (tmp_path / "scans/a.raw").write_bytes(b"0")
    check_data_files(tmp_path / "scans" / name, paths)


def test_without_a_network_the_way_to_one_is_told(paths: AllowedPaths) -> None:
    tool = SegmentTool(paths, None, None, False, "cpu")
    with pytest.raises(InputError, match="ovct mcp --checkpoint"):
        tool.segment(Progress(), "a.nii.gz", ["liver"], None)
