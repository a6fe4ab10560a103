"""The server's start and end: ports, names, what it prints, the verifier behind corrections."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from curation.audit.review import CorrectionVerifier, ReviewJob, review
from curation.audit.sample import SampleRequest
from curation.caption_set.manifest import ManifestError
from curation.caption_set.work_folder import SetError
from curation.runtime.errors import InputError
from curation.runtime.progress import Progress
from tests.curation.audit.builders import plain_reports, review_process, write_set


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_set(tmp_path / "set", plain_reports(10))
    return tmp_path / "set"


@pytest.mark.parametrize("names", [("ann", "ann"), ("ann", " "), ("ann", "ann "), ("",)])
def test_each_reviewer_needs_a_name(root: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="--reviewer"):
        review(ReviewJob(root, SampleRequest(), names), Progress(), print)
    assert not (root / "audit").exists()


def test_what_is_no_set_is_told_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(ManifestError):
        review(ReviewJob(tmp_path, SampleRequest(), ("ann",)), Progress(), print)
    assert list(tmp_path.iterdir()) == []


def test_it_answers_on_this_machine_only_and_ends_with_ctrl_c(root: Path) -> None:
    with review_process(root, "--reviewer", "ann", "--reviewer", "ben", "--sample", "9") as server:
        first, second = server.links
        assert all(link.startswith("http://127.0.0.1:") for link in server.links) and first != second
        port = int(first.split(":")[2].split("/")[0])
        with urllib.request.urlopen(first) as answer:
            assert b"<title>ovct audit</title>" in answer.read()
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(first.replace("r/1", "r/2"))
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            address, state = line.split()[1], line.split()[3]
            if state == "0A" and int(address.split(":")[1], 16) == port:
                assert address.startswith("0100007F")
        with pytest.raises(SetError, match="open already"):
            review(ReviewJob(root, SampleRequest(), ("ann",), port=0, browser=False), Progress(), print)
        output = server.stop()
    assert server.process.returncode == 0
    assert "ann: 0 of 9 reviewed" in output and "Traceback" not in output and "%" not in output  # nothing was judged


def test_the_verifier_behind_corrections() -> None:
    check = CorrectionVerifier().check
    text = "The liver is normal. No pleural effusion."
    sections = [("findings", 0, len(text))]
    result = check(text, sections, "Liver", "normal liver")
    assert (result.problem, result.organ, result.status) == (None, "liver", "normal")
    assert text[result.start : result.end] == "The liver is normal." and result.section == "findings"
    assert check(text, sections, "spleen", "the spleen is large").organ == "spleen"
    assert check(text, sections, "spleen", "the spleen is large").problem
    unknown = check(text, sections, "flux capacitor", "charged")
    assert unknown.organ is None and "flux capacitor" in (unknown.problem or "")
