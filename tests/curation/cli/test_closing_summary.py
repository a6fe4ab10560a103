"""The end of `ovct curate`: counts, bars, a caption of each status, and the next command."""

import io
import sys
from pathlib import Path

import pytest
from rich.console import Console

from curation.api.curate import Curation, curate
from curation.caption_set.stats import SetSummary, summary_of
from curation.cli.closing_summary import MOST_ORGANS, show_closing

TEXTS = [
    "The liver is normal. There is a 4 mm stone in the left kidney. The spleen is unremarkable. No pleural effusion.",
    "Possible nodule in the right upper lobe. The pancreas is normal. The gallbladder is removed. The aorta is normal.",
    "The heart is enlarged. The right kidney is normal. A simple cyst of the right kidney. Blorbulated liver.",
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Curation:
    return curate(TEXTS, tmp_path_factory.mktemp("closing") / "my set")


def printed(summary: SetSummary, where: str = "my set", encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    console = Console(file=io.TextIOWrapper(raw, encoding=encoding), width=100, markup=False, highlight=False)
    show_closing(summary, console, where)
    console.file.flush()
    return raw.getvalue().decode(encoding)


def summary(run: Curation) -> SetSummary:
    return summary_of(run.folder, run.manifest)


def test_counts_bars_examples_and_the_next_commands(run: Curation) -> None:
    lines = [" ".join(line.split()) for line in printed(summary(run)).splitlines()]
    counted = summary(run)
    captions = f"captions {counted.captions.total()} of {len(counted.organs())} organs and parts: "
    assert any(line.startswith(captions) for line in lines)
    assert f"refused captions {counted.rejects.total()} not_understood" in lines
    assert "right kidney 2 ░█" in lines
    counted.rejects["duplicate"] += 40
    assert f"{40 + summary(run).rejects.total()} (40 duplicate, " in printed(counted)
    assert any(line.startswith("In my set: captions/") for line in lines)
    assert any(line.startswith("ovct audit 'my set' --sample 100 ") for line in lines)
    assert any(line.startswith("ovct stats 'my set' ") for line in lines)


def test_an_example_of_each_status_begins_a_third_down_the_part(run: Curation) -> None:
    shown = [
        line for line in printed(summary(run)).splitlines() if line.startswith(("normal ", "abn", "unc", "refused  "))
    ]
    assert [line.split()[0] for line in shown] == ["normal", "abnormal", "uncertain", "refused"]
    assert shown[0].split(None, 1)[1].startswith("pancreas (") and shown[0].rstrip().endswith(
        "): The pancreas is normal"
    )
    assert shown[2].rstrip().endswith("): Possible nodule in the right upper lobe")
    assert " | not understood: “" in shown[3]


def test_the_bars_are_as_long_as_their_numbers(run: Curation) -> None:
    counts = summary(run)
    counts.captions.clear()
    counts.captions.update({(f"organ {number:02d}", "normal"): 880 // (number + 1) for number in range(12)})
    counts.captions["organ 00", "abnormal"] = 880
    lines = printed(counts).splitlines()
    bars = {line[:8]: line for line in lines if line.startswith("organ ")}
    assert len(bars) == MOST_ORGANS
    assert (bars["organ 00"].count("░"), bars["organ 00"].count("█")) == (22, 22)
    assert (bars["organ 01"].count("░"), bars["organ 01"].count("█")) == (11, 0)
    assert any(line.startswith(f"{12 - MOST_ORGANS} more") for line in lines)


def test_a_terminal_of_ascii_gets_signs_that_it_has(run: Curation) -> None:
    text = printed(summary(run), encoding="ascii")
    assert "# abnormal" in text and "pancreas (" not in text


def test_a_share_is_to_be_merged_and_an_unfinished_set_to_be_finished(run: Curation) -> None:
    counts = summary(run)
    share = counts.manifest.settings.model_copy(update={"shard": "1/2"})
    counts.manifest = counts.manifest.model_copy(update={"settings": share})
    assert "ovct merge" in printed(counts) and "ovct audit" not in printed(counts)
    counts.manifest = counts.manifest.model_copy(update={"complete": False})
    assert "unfinished" in printed(counts) and "Next:" not in printed(counts)


def test_a_set_in_a_store_is_not_reviewed_there(run: Curation) -> None:
    text = printed(summary(run), "s3://bucket/set")
    assert "ovct stats s3://bucket/set" in text and "ovct audit" not in text


def test_a_program_that_the_shell_does_not_find_is_named_by_its_path(
    run: Curation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [".venv/bin/ovct", "curate"])
    assert ".venv/bin/ovct audit" in printed(summary(run))
