import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from curation.caption_set.figures import set_figures
from curation.caption_set.manifest import ManifestError
from curation.caption_set.stats import SetSummary, count_set, draw, show, summary_of
from curation.extraction.text_engine import rules_recipe
from curation.pipeline import CurateJob, curate
from curation.runtime.errors import InputError
from tests.curation.fakes import fake_recipe, write_reports


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stats")
    reports = write_reports(folder / "r.csv", 50)
    with reports.open("a") as file:
        file.write("bad.nii.gz,CRASH.,,1\nodd.nii.gz,INVENT. Liver is normal.,,1\n")
    curate(CurateJob(reports, folder / "set", reports_per_part=20), fake_recipe())
    return folder / "set"


def printed(summary: SetSummary) -> str:
    console = Console(file=io.StringIO(), width=100)
    show(summary, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_files_say_what_the_manifest_says(root: Path) -> None:
    counted = count_set(root)
    in_manifest = summary_of(root, counted.manifest)
    assert counted.reports == in_manifest.reports == 52
    assert counted.captions == in_manifest.captions and counted.captions.total() > 200
    assert counted.rejects == in_manifest.rejects == {"engine_error": 1, "not_grounded": 1}
    assert printed(counted) == printed(in_manifest)


def test_what_is_shown(root: Path) -> None:
    text = " ".join(printed(count_set(root)).split())
    assert "engine fake, fake-1" in text
    assert "reports 52" in text
    assert "refused captions 2" in text
    assert "captions by organ normal abnormal uncertain all" in text
    assert "engine_error 1" in text
    assert f"In {root}" in text and "unfinished" not in text


def test_many_organs_are_summed_up(root: Path) -> None:
    summary = count_set(root)
    summary.captions.clear()
    summary.captions.update({(f"organ {number:02d}", "normal"): 100 - number for number in range(25)})
    text = " ".join(printed(summary).split())
    assert "organ 19 81 0 0 81 5 more 390 0 0 390 all 25 2,200 0 0 2,200" in text
    assert "organ 20" not in text


def test_an_unfinished_set_is_called_so(root: Path) -> None:
    summary = count_set(root)
    summary.manifest = summary.manifest.model_copy(update={"complete": False, "skipped": None})
    summary.rejects.clear()
    text = printed(summary)
    assert "unfinished" in text and "skipped rows" in text and "No caption was refused" in text


def test_no_set(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="holds no caption set"):
        count_set(tmp_path)


@pytest.mark.parametrize(("name", "magic"), [("a.png", b"\x89PNG"), ("a.svg", b"<?xml")])
def test_the_plot_is_the_same_each_time(root: Path, tmp_path: Path, name: str, magic: bytes) -> None:
    draw(count_set(root), tmp_path / name)
    first = (tmp_path / name).read_bytes()
    draw(count_set(root), tmp_path / name)
    assert first.startswith(magic)
    assert (tmp_path / name).read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_plot_of_nothing_and_of_an_unknown_kind(root: Path, tmp_path: Path) -> None:
    summary = count_set(root)
    summary.captions.clear()
    draw(summary, tmp_path / "a.png")
    with pytest.raises(InputError, match=r"\.png or \.svg"):
        draw(summary, tmp_path / "a.bmp")


def test_words_that_were_not_understood_are_shown_with_what_they_cost(tmp_path: Path) -> None:
    reports = ("The spleen is glimmery.", "The pancreas is glimmery and [wibbled].", "The spleen is glimmery.")
    lines = [json.dumps({"id": f"r{number}", "report": f"FINDINGS: {text}"}) for number, text in enumerate(reports)]
    (tmp_path / "r.jsonl").write_text("\n".join(lines))
    curate(CurateJob(tmp_path / "r.jsonl", tmp_path / "set"), rules_recipe())
    summary = count_set(tmp_path / "set")
    assert [(word.word, word.statements) for word in summary.unknown_words] == [("glimmery", 2), ("wibbled", 1)]
    text = " ".join(printed(summary).split())
    assert "words not understood statements one of them" in text
    assert "glimmery 2 The spleen is glimmery. wibbled 1 The pancreas is glimmery" in text
    figures = set_figures(summary, "set")
    assert [word.word for word in figures.words_not_understood] == ["glimmery", "wibbled"]
    assert figures.refused_by_reason == {"not_understood": 3}
