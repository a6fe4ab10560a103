"""Plots of an audit: what they show, and that the same results give the same picture."""

import re
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from curation.audit.drawing import Wanted
from curation.audit.intervals import estimate
from curation.audit.plots import as_svg, figures, rate_figure, save_png, score_figure
from curation.audit.summary import summarise
from curation.audit.tables import SHOWN, Row
from curation.caption_set.audit_results import AuditResults, Estimate, ScoreBand
from tests.curation.audit.making import opened, plain, say_all, write_set


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> AuditResults:
    """30 accepted and 6 refused captions, every third of them hallucinated."""
    root = tmp_path_factory.mktemp("plots")
    write_set(root, plain(40, refused_each=1))
    with opened(root, wanted=Wanted(accepted=30, refused=6)) as store:
        say_all(store, "ann", ["hallucinated", "supported", "supported"] * 12)
        return summarise(store, "g")


def seen(hits: int, reviewed: int) -> Estimate:
    return estimate((number < hits, 1.0) for number in range(reviewed))


def with_bands(results: AuditResults, bands: Sequence[ScoreBand]) -> AuditResults:
    return results.model_copy(update={"calibration": tuple(bands)})


def axes_of(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def points(line: Line2D) -> list[list[float]]:
    return [[float(x), float(y)] for x, y in np.asarray(line.get_xydata())]


def legend(axes: Axes) -> set[str]:
    found = axes.get_legend()
    return {text.get_text() for text in found.get_texts()} if found else set()


BANDS = [
    ScoreBand(above=0, upto=70, captions=50, hallucinated=seen(1, 4)),
    ScoreBand(above=90, upto=99.9, captions=150, hallucinated=seen(0, 0)),
    ScoreBand(above=99.9, upto=100, captions=800, hallucinated=seen(0, 20)),
]


def test_bars_are_the_set_and_points_are_the_hallucinated(results: AuditResults) -> None:
    axes = axes_of(score_figure(with_bands(results, BANDS)))
    assert [bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)] == pytest.approx([5, 15, 80])
    assert [point for line in axes.lines if line.get_marker() == "o" for point in points(line)] == [[0, 25], [2, 0]]
    assert legend(axes) == {"captions of the set", "hallucinated"}


def test_each_band_says_how_many_were_judged(results: AuditResults) -> None:
    axes = axes_of(score_figure(with_bands(results, BANDS)))
    assert [text.get_text() for text in axes.get_xticklabels()] == [
        "0 to 70\n1 of 4", "90 to 99.9\n0 of 0", "100\n0 of 20",
    ]  # fmt: skip


def test_the_legend_is_whole_where_the_first_band_was_not_judged(results: AuditResults) -> None:
    axes = axes_of(score_figure(with_bands(results, BANDS[1:])))
    assert legend(axes) == {"captions of the set", "hallucinated"}


def test_bands_can_be_drawn_before_anything_was_judged(results: AuditResults) -> None:
    bands = [band.model_copy(update={"hallucinated": seen(0, 0)}) for band in BANDS]
    assert legend(axes_of(score_figure(with_bands(results, bands)))) == {"captions of the set"}


def test_a_rate_is_a_point_on_its_interval(results: AuditResults) -> None:
    found = seen(2, 8)
    axes = axes_of(rate_figure([Row("liver", found), Row("spleen", seen(0, 0))]))
    whole, bar, point = axes.lines
    assert [text.get_text() for text in axes.get_yticklabels()] == ["spleen (0)", "liver (8)"]
    assert points(whole) == [[0, 0], [100, 0]]
    assert points(bar) == [[pytest.approx(100 * end), 1] for end in (found.low, found.high)]
    assert points(point) == [[25, 1]]


def test_a_plot_has_as_many_rows_as_a_table(results: AuditResults) -> None:
    rows = [Row(f"organ {number}", seen(1, 9)) for number in range(SHOWN + 5)]
    names = [text.get_text() for text in axes_of(rate_figure(rows)).get_yticklabels()]
    assert names == [f"organ {number} (9)" for number in reversed(range(SHOWN))]


def test_there_is_a_plot_for_each_table_worth_one(results: AuditResults) -> None:
    assert set(figures(results)) == {"verdict", "status", "organ", "reason", "score"}
    assert "score" not in figures(with_bands(results, []))


def test_the_same_results_give_the_same_text_without_a_date(results: AuditResults) -> None:
    first, second = ({key: as_svg(figure) for key, figure in figures(results).items()} for _ in range(2))
    assert first == second
    for text in first.values():
        assert "date" not in text
        assert not re.search(r"\b20\d\d-\d\d-\d\d", text)


def test_a_plot_is_one_svg_element_with_its_words_as_text(results: AuditResults) -> None:
    text = as_svg(rate_figure([Row('<b>liver</b> & "spleen"', seen(1, 3))]))
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert '<b>liver</b> & "spleen" (3)' in list(root.itertext())


def test_a_png_is_written_as_a_whole(results: AuditResults, tmp_path: Path) -> None:
    save_png(score_figure(results), tmp_path / "score.png")
    assert (tmp_path / "score.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["score.png"]
