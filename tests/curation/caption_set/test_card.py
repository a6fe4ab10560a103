"""The data card of a caption set, whatever is in the set; and the filled card of the examples.

`python tests/curation/caption_set/test_card.py` writes the card of the examples anew.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from markdown_it import MarkdownIt
from typer.testing import CliRunner, Result

import ovct
from curation.caption import Reason
from curation.caption_set.audit_results import AuditSummary, Estimate, VerifierQuality
from curation.caption_set.card import REASON_TEXTS, data_card, size_category, write_card
from curation.caption_set.manifest import (
    Counts,
    CurationSettings,
    InputFingerprint,
    Manifest,
    PartRecord,
    Usage,
    load_manifest,
)
from curation.caption_set.schemas import parquet_schema
from curation.pipeline import CurateJob, curate
from curation.replay import replay
from curation.runtime.errors import InputError, Interrupted
from curation.runtime.progress import Progress
from tests.curation.fakes import FakeChat, chat_recipe, fake_recipe, write_reports

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES_CARD = ROOT / "data_cards" / "examples.md"
VARIES = re.compile(r"(?<=ovct )`[^`]+`|(?<=`)[0-9a-f]{12,64}(?=`)|\d{4}-\d\d-\d\dT[\d:.+]+")

SETTINGS = CurationSettings(ovct="1.2", engine="rules", vocabulary="b" * 64, lexicon="c" * 64, reports_per_part=10)
MANIFEST = Manifest(
    complete=True,
    input=InputFingerprint(name="r.csv", files=1, bytes=9, sha256="a" * 64),
    settings=SETTINGS,
    versions={},
    source_columns=("age", "Text"),
    counts=Counts(
        reports=3,
        captions={"liver": {"normal": 1200, "abnormal": 3}, "spleen": {"uncertain": 2}},
        rejects={"laterality": 1, "negation": 4},
    ),
    skipped=0,
)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(ovct.app, [str(argument) for argument in arguments])


def front_matter(card: str) -> dict[str, Any]:
    """The front matter as Hugging Face takes it out of a page."""
    found = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    assert found is not None
    known: dict[str, Any] = yaml.safe_load(found[1])
    return known


def tables(card: str) -> Iterator[list[list[str]]]:
    """Each table of the page as rows of cells, as they are read."""
    rows: list[list[str]] = []
    for token in MarkdownIt("commonmark").enable("table").parse(card.partition("\n---\n")[2]):
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type == "table_close":
            yield rows
        elif token.type == "inline" and token.level >= 4 and rows and token.children is not None:
            rows[-1].append("".join(child.content for child in token.children))


def with_changes(**changes: Any) -> Manifest:
    return MANIFEST.model_copy(update=changes)


def test_the_front_matter_has_what_hugging_face_asks_for() -> None:
    found = front_matter(data_card(with_changes(license="cc-by-nc-sa-4.0")))
    assert found["license"] == "cc-by-nc-sa-4.0"
    assert found["language"] == ["en"]
    assert found["size_categories"] == ["1K<n<10K"]
    assert found["pretty_name"] == "Organ captions from r.csv"
    assert "radiology" in found["tags"]
    assert found["configs"] == [
        {"config_name": "captions", "data_files": "captions/*.parquet", "default": True},
        {"config_name": "rejects", "data_files": "rejects/*.parquet"},
        {"config_name": "reports", "data_files": "reports/*.parquet"},
    ]


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (99_999, "10K<n<100K"),
        (100_000, "100K<n<1M"),
        (9_000_000, "1M<n<10M"),
        (2 * 10**9, "1B<n<10B"),
        (10**12, "n>1T"),
    ],
)
def test_size_categories(rows: int, name: str) -> None:
    assert size_category(rows) == name


def test_a_table_without_rows_is_left_out() -> None:
    card = data_card(with_changes(counts=Counts(reports=3)))
    assert [one["config_name"] for one in front_matter(card)["configs"]] == ["reports"]
    assert "There are none." in card and "No caption was refused." in card
    assert 'load_dataset("DIR", "reports"' in card and 'load_dataset("DIR", "captions"' not in card
    assert "left out above, are `captions`, `rejects`." in card


def test_what_is_told_of_the_captions() -> None:
    card = data_card(MANIFEST)
    assert "- **Captions:** 1,205 about 2 organs (1,200 normal, 3 abnormal, 2 uncertain)" in card
    organs, refusals, *_ = tables(card)
    assert organs == [
        ["organ", "normal", "abnormal", "uncertain", "all"],
        ["liver", "1,200", "3", "0", "1,203"],
        ["spleen", "0", "0", "2", "2"],
    ]
    assert [row[:2] for row in refusals[1:]] == [["negation", "4"], ["laterality", "1"]]
    assert all(says for _, _, says in refusals[1:])
    assert "![captions by organ and status](captions.png)" in card
    assert "ovct `1.2`" in card and "`bbbbbbbbbbbb`" in card and "`cccccccccccc`" in card and "a" * 64 in card


def test_many_organs_are_summed_up() -> None:
    captions = {f"organ {number:02d}": {"normal": 100 - number} for number in range(25)}
    organs = next(tables(data_card(with_changes(counts=Counts(reports=3, captions=captions)))))
    assert len(organs) == 1 + 20 + 1
    assert organs[-2:] == [["organ 19", "81", "0", "0", "81"], ["5 more", "390", "0", "0", "390"]]


def test_every_reason_is_explained() -> None:
    assert set(REASON_TEXTS) == set(Reason)


def test_every_column_is_explained() -> None:
    parts = (PartRecord(reports=3, captions=1, rejects=1, responses=2, first_row=1, last_row=3, bytes={}),)
    found = list(tables(data_card(with_changes(parts=parts))))
    explained = [
        [name for cell, _ in rows[1:] for name in cell.split(", ")]
        for rows in found
        if rows[0] == ["column", "meaning"]
    ]
    wanted = [parquet_schema(table).names for table in ("captions", "rejects", "reports", "responses")]
    wanted[2] += ["age", "source_Text"]
    assert explained == wanted


def test_source_columns_are_named() -> None:
    card = data_card(MANIFEST)
    assert "- **Columns carried through:** `age`, `Text` (as `source_Text`)" in card
    assert "- **Columns carried through:** none" in data_card(with_changes(source_columns=()))


@pytest.mark.parametrize(
    "name",
    [
        "a \"b\" 'c'.csv",
        "x\n---\nlicense: mit\n---\n# Title",
        "a | b",
        "``` `",
        "- {}: #&*!%@`",
        "\x00\x85\x1b[31m",
        "🫁\u2028.csv",
        "\\",
        "---",
        "[a](b) <img> *c* {{ d }}",
    ],
)
def test_no_name_breaks_the_page(name: str) -> None:
    settings = SETTINGS.model_copy(update={"model": name, "engine": name, "options": {"dtype": name}})
    source = MANIFEST.input.model_copy(update={"name": name})
    counts = MANIFEST.counts.model_copy(update={"captions": {name: {"normal": 1}}})
    odd = with_changes(input=source, settings=settings, source_columns=(name, "b"), counts=counts, license=name)
    plain, card = data_card(with_changes(license="mit", source_columns=("a", "b"))), data_card(odd)
    assert front_matter(card).keys() == front_matter(plain).keys()
    assert front_matter(card)["configs"] == front_matter(plain)["configs"]
    readable = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    assert front_matter(card)["pretty_name"] == f"Organ captions from {readable}".strip()
    assert re.findall("^#.*", card, re.MULTILINE) == re.findall("^#.*", plain, re.MULTILINE)
    assert all(len(row) == len(rows[0]) for rows in tables(card) for row in rows)
    if readable:
        assert [row[0] for rows in tables(card) for row in rows if rows[0][0] == "column"][-2] == readable
        assert f"Input: {readable}, sha256" in text_of(card)


def text_of(card: str) -> str:
    """The page as it is read, without its tables and marks."""
    tokens = MarkdownIt("commonmark").parse(card.partition("\n---\n")[2])
    return "\n".join("".join(child.content for child in token.children or ()) for token in tokens)


def test_a_language_model_is_told_of() -> None:
    usage = Usage(
        questions=1200, retries=3, repairs=2, failures=1, prompt_tokens=50_000, completion_tokens=9_000, seconds=9.0,
        tokens_per_second=1000.0, first_accept_rate=0.5, last_accept_rate=0.5, prices=(1.0, 2.0), cost=0.068,
    )  # fmt: skip
    model = {"engine": "openai", "model": "some/model", "prompt": "d" * 64, "options": {"max_tokens": 500}}
    card = data_card(with_changes(usage=usage, settings=SETTINGS.model_copy(update=model)))
    assert "**Model:** `some/model`" in card and f"sha256 `{'d' * 64}`" in card and "max_tokens `500`" in card
    assert "1,200 questions, with 3 retries and 2 repairs; 1 got no answer" in card
    assert "50,000 in, 9,000 out; at 1 and 2 for a million of them that is 0.068" in card
    assert "A language model leaves things out" in card and "The rules follow sentences" not in card
    free = usage.model_copy(update={"prices": None, "cost": None})
    assert "50,000 in, 9,000 out\n" in data_card(with_changes(usage=free))
    assert "The rules follow sentences" in data_card(MANIFEST) and "questions" not in data_card(MANIFEST)


def estimate(hits: int, reviewed: int, rate: float | None, low: float, high: float) -> Estimate:
    return Estimate(rate=rate, low=low, high=high, hits=hits, reviewed=reviewed, effective=float(reviewed))


NONE_OF_100 = estimate(0, 100, 0.0, 0.0, 0.0369)
UNKNOWN = estimate(0, 0, None, 0.0, 1.0)
RESULTS = AuditSummary(
    set=MANIFEST.identity(), made="2026-11-25T10:00:00+00:00", design="stratified", seed=0, captions=1205, refused=5,
    sample=100, sample_refused=0, reviewed=100, reviewed_refused=0, unsure=0, corrected=0,
    reviewers={"Dr. A. Nonymous": 100}, overlap=0.0, blind=100, guideline="1", hallucination=NONE_OF_100,
    hallucination_with_unsure=NONE_OF_100,
    verdicts={"wrong_organ": NONE_OF_100, "supported": estimate(97, 100, 0.968, 0.915, 0.99), "odd|one": UNKNOWN},
    by_organ={}, by_status={}, by_engine={}, by_reason={},
    verifier=VerifierQuality(
        precision=UNKNOWN, recall=UNKNOWN, recall_of_supported=UNKNOWN, caught=UNKNOWN, rightly_refused=UNKNOWN,
    ),
    agreement=(), judges=(), calibration=(),
)  # fmt: skip


def test_a_set_that_nobody_audited_says_so() -> None:
    card = data_card(MANIFEST)
    assert "- **Audit:** not audited\n" in card and "**Not audited.**" in card and "`ovct audit DIR`" in card
    assert "95 %" not in card
    begun = RESULTS.model_copy(update={"hallucination": UNKNOWN, "reviewed": 0})
    assert data_card(MANIFEST, begun) == card


def test_an_audit_is_told_with_its_interval() -> None:
    card = data_card(MANIFEST, RESULTS)
    rate = "0 of 100 reviewed captions, 0.0 % (95 % interval 0.0 to 3.7 %)"
    assert f"- **Audit:** hallucinated are {rate}\n" in card and f"**Hallucination rate:** {rate}." in card
    assert "ot audited" not in card
    assert "Of 1,205 captions 100 were drawn for review (design `stratified`, seed 0)" in card
    assert "by one reader" in card and "Nonymous" not in card
    assert "precision" not in card and "could not be decided" not in card and "score.png" not in card
    (verdicts,) = (rows for rows in tables(card) if rows[0][0] == "verdict")
    assert verdicts[1:] == [
        ["supported", "97", "96.8 %", "91.5 to 99.0 %"],
        ["wrong organ", "0", "0.0 %", "0.0 to 3.7 %"],
        ["odd|one", "0", "", "0.0 to 100.0 %"],
    ]


def test_an_audit_with_refused_and_undecided_captions() -> None:
    verifier = RESULTS.verifier.model_copy(
        update={"precision": estimate(98, 100, 0.98, 0.93, 0.994), "recall": estimate(98, 118, 0.83, 0.75, 0.89)}
    )
    changes = {
        "reviewed_refused": 50,
        "verifier": verifier,
        "unsure": 4,
        "hallucination_with_unsure": estimate(4, 104, 0.038, 0.015, 0.095),
        "reviewers": {"a": 100, "b": 20},
    }
    card = data_card(MANIFEST, RESULTS.model_copy(update=changes), score_plot=True)
    assert "by 2 readers" in card
    assert "98 of 100 reviewed captions, 98.0 % (95 % interval 93.0 to 99.4 %)" in card
    assert "98 of 118 reviewed captions, 83.0 % (95 % interval 75.0 to 89.0 %)" in card
    assert "4 could not be decided" in card and "4 of 104 reviewed captions, 3.8 % (95 % interval 1.5 to 9.5 %)" in card
    assert "![hallucinations by score](audit/score.png)" in card
    assert "score.png" not in data_card(MANIFEST, score_plot=True)


def test_the_audit_of_other_rows_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "audit").mkdir()
    summary = tmp_path / "audit" / "summary.json"
    summary.write_text(RESULTS.model_dump_json())
    write_card(tmp_path, MANIFEST)
    card = (tmp_path / "README.md").read_text()
    assert card == data_card(MANIFEST, RESULTS)
    (tmp_path / "audit" / "score.png").write_bytes(b"")
    write_card(tmp_path, MANIFEST)
    assert (tmp_path / "README.md").read_text() == data_card(MANIFEST, RESULTS, score_plot=True)
    other = with_changes(settings=SETTINGS.model_copy(update={"ovct": "1.3"}))
    write_card(tmp_path, other)
    assert (tmp_path / "README.md").read_text() == data_card(other)
    summary.write_text("{")
    write_card(tmp_path, MANIFEST)
    assert (tmp_path / "README.md").read_text() == data_card(MANIFEST)


def test_another_licence_is_the_same_set() -> None:
    """An audit is about the rows, and stays valid."""
    assert with_changes(license="mit").identity() == MANIFEST.identity()


def test_a_licence_that_was_not_stated() -> None:
    card = data_card(MANIFEST)
    assert front_matter(card)["license"] == "unknown"
    assert "**Licence of the reports:** not stated" in card and "`ovct curate` again with `--license ID`" in card
    stated = data_card(with_changes(license="cc-by-4.0"))
    assert "**Licence of the reports:** `cc-by-4.0`" in stated and "--license" not in stated


@pytest.mark.parametrize("wrong", ["CC-BY-4.0", "", "a b", "x" * 65, "mit\n", "ä", "a_b"])
def test_what_can_be_no_licence_is_refused(wrong: str) -> None:
    with pytest.raises(InputError, match="expected the id") as told:
        CurateJob(Path("r.csv"), Path("out"), license=wrong)
    assert repr(wrong) in str(told.value) and "cc-by-nc-sa-4.0" in str(told.value)


def licence_of(root: Path) -> tuple[str | None, str]:
    return load_manifest(root).license, front_matter((root / "README.md").read_text())["license"]


def test_a_licence_can_be_stated_afterwards(tmp_path: Path) -> None:
    reports, out, log = write_reports(tmp_path / "r.csv", 5), tmp_path / "set", tmp_path / "log"
    job = CurateJob(reports, out, workers=1)
    curate(job, fake_recipe())
    assert licence_of(out) == (None, "unknown")
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/*.parquet")}
    stated = curate(replace(job, license="cc-by-4.0"), fake_recipe(log))
    assert stated.already_done and stated.relicensed and stated.manifest.license == "cc-by-4.0"
    assert licence_of(out) == ("cc-by-4.0", "cc-by-4.0")
    for license in (None, "cc-by-4.0"):
        again = curate(replace(job, license=license), fake_recipe(log))
        assert again.already_done and not again.relicensed
    assert licence_of(out) == ("cc-by-4.0", "cc-by-4.0")
    assert not log.exists() and not (out / ".work").exists()
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/*.parquet")} == before
    curate(replace(job, overwrite=True), fake_recipe())
    assert licence_of(out) == (None, "unknown")


@pytest.mark.parametrize(
    ("first", "second", "left"),
    [("mit", None, "mit"), (None, "mit", "mit"), ("mit", "cc-by-4.0", "cc-by-4.0")],
)
@pytest.mark.parametrize("stopped_at", [1, 25])
def test_a_resumed_run_keeps_the_licence(
    tmp_path: Path, first: str | None, second: str | None, left: str, stopped_at: int
) -> None:
    class Stop(Progress):
        seen = 0

        def advance(self) -> None:
            self.seen += 1
            if self.seen == stopped_at:
                raise Interrupted

    reports = write_reports(tmp_path / "r.csv", 50)
    job = CurateJob(reports, tmp_path / "set", workers=1, reports_per_part=20, license=first)
    with pytest.raises(Interrupted):
        curate(job, fake_recipe(), Stop())
    curate(replace(job, license=second), fake_recipe())
    assert licence_of(job.out) == (left, left)


def test_the_command_takes_a_licence_and_draws_the_plot(tmp_path: Path, examples: Path) -> None:
    out = tmp_path / "set"
    command = ("curate", examples / "reports.csv", "--out", out, "--limit", 3)
    wrong = call(*command, "--license", "Some Licence")
    assert wrong.exit_code == 2 and "'Some Licence'" in wrong.stderr and "such as cc-by-nc-sa-4.0" in wrong.stderr
    assert not out.exists()
    done = call(*command)
    assert done.exit_code == 0, done.output
    plot = out / "captions.png"
    first = plot.read_bytes()
    assert first.startswith(b"\x89PNG")
    plot.write_bytes(b"mine")
    stated = call(*command, "--license", "apache-2.0")
    assert stated.exit_code == 0 and "names the licence apache-2.0" in stated.stderr
    assert stated.stdout == done.stdout
    assert licence_of(out) == ("apache-2.0", "apache-2.0")
    assert plot.read_bytes() == b"mine"
    plot.unlink()
    again = call(*command)
    assert again.exit_code == 0 and "nothing to do" in again.stderr
    assert plot.read_bytes() == first
    plot.unlink()
    plot.mkdir()
    (plot / "x").touch()
    failed = call(*command, "--overwrite")
    assert failed.exit_code == 1 and "captions.png" in failed.stderr and "Traceback" not in failed.stderr


def test_a_replayed_set_has_a_new_card(tmp_path: Path) -> None:
    job = CurateJob(write_reports(tmp_path / "r.csv", 4), tmp_path / "set", workers=1, license="mit")
    curate(job, chat_recipe(FakeChat()))
    card = (job.out / "README.md").read_text()
    assert "`responses`: what the model said" in card and "verified again" not in card
    manifest = replay(job.out)
    assert (job.out / "README.md").read_text() == data_card(manifest)
    assert "verified again" in data_card(manifest) and licence_of(job.out) == ("mit", "mit")


@pytest.fixture(scope="module")
def odd_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A set with refused captions, from a file and with columns that are called whatever they like."""
    folder = tmp_path_factory.mktemp("odd")
    reports = folder / "we \"must\" | 'quote'\n---\nthis.csv"
    rows = [f'r{number},"Liver {number} is normal. INVENT.",{number},b,c,d' for number in range(5)]
    reports.write_text('id,report,a|b,Sections,"two\nlines",`tick`\n' + "\n".join(rows) + "\n")
    curate(CurateJob(reports, folder / "set", workers=1), fake_recipe())
    return folder / "set"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("with_model", [False, True])
def test_hugging_face_reads_the_set(
    odd_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_model: bool
) -> None:
    """Without a network. Warnings are those of ``datasets`` itself."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    root, names = odd_set, ["captions", "rejects", "reports"]
    if with_model:
        root = tmp_path / "set"
        curate(CurateJob(write_reports(tmp_path / "r.csv", 4), root, workers=1), chat_recipe(FakeChat()))
        names = ["captions", "rejects", "reports", "responses"]
    assert [one["config_name"] for one in front_matter((root / "README.md").read_text())["configs"]] == names
    for name in [*names, None]:
        loaded = datasets.load_dataset(str(root), name, split="train", cache_dir=str(tmp_path / "cache"))
        stored = pq.read_table(root / (name or "captions"))
        assert loaded.num_rows == stored.num_rows > 0
        assert loaded.column_names == stored.column_names


def test_the_tables_of_an_odd_set_are_whole(odd_set: Path) -> None:
    card = (odd_set / "README.md").read_text()
    assert front_matter(card)["pretty_name"] == "Organ captions from we \"must\" | 'quote' --- this.csv"
    (reports,) = (rows for rows in tables(card) if rows[0] == ["column", "meaning"] and rows[2][0] == "text")
    assert reports[4:] == [
        ["a|b", "column a|b of the input"],
        ["source_Sections", "column Sections of the input"],
        ["two lines", "column two lines of the input"],
        ["`tick`", "column `tick` of the input"],
    ]


def card_of_the_examples(folder: Path) -> str:
    shutil.copy(ROOT / "examples" / "reports.csv", folder)
    done = call("curate", folder / "reports.csv", "--out", folder / "set", "--license", "apache-2.0")
    assert done.exit_code == 0, done.output
    return (folder / "set" / "README.md").read_text(encoding="utf-8")


def test_the_card_of_the_examples_is_what_is_written_now(tmp_path: Path) -> None:
    shown, written = EXAMPLES_CARD.read_text(encoding="utf-8"), card_of_the_examples(tmp_path)
    assert VARIES.sub("#", written) == VARIES.sub("#", shown), (
        "data_cards/examples.md shows another card: python tests/curation/caption_set/test_card.py writes it anew"
    )


def test_what_varies_is_left_out_and_nothing_else() -> None:
    line = "ovct `0.1.0`, `808d589fdc98`, 2026-11-25T13:11:23+00:00, `captions`, 1,219"
    assert VARIES.sub("#", line) == "ovct #, `#`, #, `captions`, 1,219"


def main() -> None:
    """Write the card of the examples anew."""
    with tempfile.TemporaryDirectory() as folder:
        EXAMPLES_CARD.write_text(card_of_the_examples(Path(folder)), encoding="utf-8")


if __name__ == "__main__":
    main()
