"""The audit's folder: written by one process at a time, made once, renamed on demand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from curation.audit.folder import GUIDELINE_FILE, audit_to_read, audit_to_write, finished_set
from curation.audit.sample import SampleRequest
from curation.audit.store import STORE_FILE, AuditStore, AuditStoreError
from curation.caption_set.manifest import ManifestError, load_manifest
from curation.caption_set.work_folder import SetError
from curation.runtime.progress import Progress
from tests.curation.audit.builders import ROOT, give_verdicts, open_audit, plain_reports, write_set


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_set(tmp_path / "set", plain_reports(10))
    return tmp_path / "set"


HOLD = """
import sys, time
from pathlib import Path
from curation.audit.sample import SampleRequest
from curation.audit.folder import audit_to_write
from curation.runtime.progress import Progress
with audit_to_write(Path(sys.argv[1]), SampleRequest(), Progress()):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_process_writes_and_others_may_read(root: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(root)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(SetError, match=rf"open already \(process {holder.pid}\).*--reviewer"), open_audit(root):
            pass
        with audit_to_read(root) as store:
            assert store.sample_size("accepted") == 30
    finally:
        holder.kill()
        holder.communicate()
    with open_audit(root):  # the kernel has let go of it
        pass


def test_a_redraw_keeps_the_old_audit(root: Path) -> None:
    with open_audit(root, sample=SampleRequest(accepted=10)) as store:
        give_verdicts(store, "ann", ["hallucinated"])
    (root / "audit" / GUIDELINE_FILE).write_text("Ours.", encoding="utf-8")
    with audit_to_write(root, SampleRequest(accepted=7, seed=3), Progress(), redraw=True) as store:
        assert store.sample_size("accepted") == 7 and not store.rows("SELECT * FROM review")
    earlier = [path for path in (root / "audit").glob("audit-*.sqlite")]
    assert len(earlier) == 1 and (root / "audit" / GUIDELINE_FILE).read_text(encoding="utf-8") == "Ours."
    old = AuditStore(earlier[0])
    assert old.rows("SELECT verdict FROM review") == [("hallucinated",)]
    old.close()


def test_audits_set_aside_in_one_second_do_not_replace_each_other(root: Path) -> None:
    for number in range(1, 5):
        with audit_to_write(root, SampleRequest(accepted=number), Progress(), redraw=True):
            pass
    earlier = [AuditStore(path) for path in (root / "audit").glob("audit-*.sqlite")]
    assert sorted(store.sample_size("accepted") for store in earlier) == [1, 2, 3]
    for store in earlier:
        store.close()


def test_what_cannot_be_audited_is_told(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="holds no caption set"):
        finished_set(tmp_path)
    manifest = load_manifest(root)
    manifest.model_copy(update={"complete": False}).save(root)
    with pytest.raises(SetError, match="unfinished; run the same `ovct curate` again"):
        finished_set(root)
    with pytest.raises(AuditStoreError, match="has not been audited yet: run `ovct audit"), audit_to_read(root):
        pass
    assert not (root / "audit").exists()


def test_a_set_with_a_part_missing_is_told_before_anything_moves(root: Path) -> None:
    with open_audit(root, sample=SampleRequest(accepted=10)):
        pass
    (root / "captions/part-00000.parquet").unlink()
    for wanted, redraw in ((SampleRequest(accepted=20), False), (SampleRequest(), True)):
        with pytest.raises(SetError, match="is missing"), audit_to_write(root, wanted, Progress(), redraw=redraw):
            pass
    with open_audit(root) as store:  # what was drawn can be reviewed all the same
        assert store.sample_size("accepted") == 10
    assert not list((root / "audit").glob("audit-*"))


def test_a_damaged_or_foreign_file_is_told_and_stays(root: Path) -> None:
    with open_audit(root):
        pass
    path = root / "audit" / STORE_FILE
    for content, message in ((b"not a database at all" * 99, "damaged or no audit"), (b"", "no audit of ovct")):
        path.write_bytes(content)
        with pytest.raises(AuditStoreError, match=message), audit_to_read(root):
            pass
        assert path.read_bytes() == content
    foreign = AuditStore(path, new=True)
    foreign.set_facts(version="ovct audit 99")
    foreign.close()
    with pytest.raises(AuditStoreError, match="another version of ovct"), open_audit(root):
        pass
    with audit_to_write(root, SampleRequest(), Progress(), redraw=True) as store:
        assert store.sample_size("accepted") == 30
