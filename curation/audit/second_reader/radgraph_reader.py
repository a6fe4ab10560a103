"""RadGraph-XL as second reader, by its package: its entities in a caption's evidence give an organ and a status.

RadGraph reads a report's sections, and knows nothing of captions. Of its observations in a caption's evidence count
those that the caption names too. Where they are, or the anatomy that caption and evidence share, is the organ; what
they assert is the status: normal where all are absent, or are words for normal. Whether the report says all that a
caption says, RadGraph cannot tell.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from curation.language.forms.choices import calls_normal
from curation.language.parser import StatementParser
from curation.report import READ_SECTIONS
from curation.runtime.errors import InputError, RunError, extra_hint
from curation.runtime.progress import Progress

from .comparison import CaptionToRead, ReaderAnswer
from .radgraph_graph import Certainty, Entity, Graph, GraphError, phrase_of, read_graph, within, words_of
from .set_captions import ReportToRead

MODELS = ("radgraph-xl", "modern-radgraph-xl")
_OF_NORMAL: dict[Certainty, Certainty] = {"present": "absent", "uncertain": "uncertain", "absent": "present"}
Annotate = Callable[[list[str]], Mapping[str, Any]]
"""RadGraph itself: annotations by the number of the text, "0" for the first."""


def load_radgraph(model: str | None) -> tuple[str, Annotate]:
    """Return the name to record, and RadGraph with its weights.

    ``model`` is one of ``MODELS``, or a folder of that name with the unpacked weights. Raises ``InputError`` for what
    the caller can put right.
    """
    folder = None if model is None else Path(model).expanduser()
    name = (model or MODELS[0]) if folder is None or not folder.is_dir() else folder.resolve().name
    if name not in MODELS:
        raise InputError(
            f"--model {model}: RadGraph has {' and '.join(MODELS)}; or give a folder of such a name with its weights"
        )
    radgraph = _class()
    places = {} if folder is None or not folder.is_dir() else {"model_cache_dir": str(folder.resolve().parent)}
    try:
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            annotate: Annotate = radgraph(model_type=name, **places)
    except Exception as error:  # the package raises plain exceptions, of whatever its libraries raise
        raise InputError(
            f"RadGraph cannot load {name} ({error}). Its weights come from huggingface.co/StanfordAIMI/RRG_scorers: "
            f"where that cannot be reached, unpack {name}.tar.gz into a folder and give --model FOLDER/{name}. It "
            f"needs a transformers below 5: {extra_hint('radgraph')}"
        ) from error
    return f"{name}, radgraph {version('radgraph')}", annotate


def _class() -> Any:
    try:
        with contextlib.redirect_stdout(sys.stderr), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from radgraph import RadGraph
    except ModuleNotFoundError as error:
        if error.name == "radgraph":
            raise InputError(
                f"--second-reader radgraph needs the package radgraph, which is not installed: {extra_hint('radgraph')}"
            ) from None
        raise InputError(f"radgraph is installed but cannot be imported ({error}): {extra_hint('radgraph')}") from error
    except Exception as error:
        raise InputError(f"radgraph is installed but cannot be imported ({error}): {extra_hint('radgraph')}") from error
    return RadGraph


class RadGraphReader:
    """Reads captions by RadGraph's annotations of their reports."""

    asks_said = False

    def __init__(self, annotate: Annotate) -> None:
        self._annotate = annotate

    def read(
        self, reports: Iterable[ReportToRead], progress: Progress
    ) -> Iterator[tuple[ReportToRead, list[ReaderAnswer]]]:
        """Yield each report with the readings of its captions. Raises ``RunError`` where RadGraph fails altogether."""
        for report in reports:
            progress.raise_if_interrupted()
            yield report, self._read_report(report)

    def _read_report(self, report: ReportToRead) -> list[ReaderAnswer]:
        sections = [section for section in report.sections if section.name in READ_SECTIONS]
        try:
            graphs = self._graphs([(section.start, report.text[section.start : section.end]) for section in sections])
        except GraphError as error:
            return [ReaderAnswer(problem=str(error)) for _ in report.captions]
        return [self._read_caption(graphs, caption) for caption in report.captions]

    def _graphs(self, bodies: Sequence[tuple[int, str]]) -> list[Graph]:
        """Return the graph of each section, with places in the whole report."""
        if not bodies:
            return []
        try:
            with contextlib.redirect_stdout(sys.stderr):
                annotations = self._annotate([body for _, body in bodies])
        except (RuntimeError, MemoryError) as error:
            raise RunError(f"RadGraph failed: {error}") from error
        graphs: list[Graph] = []
        for number, (start, body) in enumerate(bodies):
            if str(number) not in annotations:  # RadGraph leaves out what it fails on
                raise GraphError("RadGraph has no annotation of a section")
            graph = read_graph(body, annotations[str(number)])
            graphs.append({name: _moved(entity, start) for name, entity in graph.items()})
        return graphs

    def _read_caption(self, graphs: Sequence[Graph], caption: CaptionToRead) -> ReaderAnswer:
        words = set(words_of(caption.caption))
        organs: list[str] = []
        certainties: set[str] = set()
        for graph in graphs:
            numbers = within(graph, caption.spans)
            shared = [number for number in numbers if graph[number].words & words]
            anatomy = [number for number in shared if graph[number].is_anatomy and not _modifies(graph, number)]
            heads = [number for number in shared if _is_finding(graph, number)]
            for number in heads:
                entity = graph[number]
                organs += [phrase_of(graph, target) for target in entity.targets("located_at") if target in graph]
                organs.append(entity.text)
                certainties.add(_assertion(entity))
            organs += [phrase_of(graph, number) for number in anatomy]
        return ReaderAnswer(tuple(dict.fromkeys(organs)), _status_of(certainties))


def _assertion(entity: Entity) -> Certainty:
    """Return what an observation says of a finding: "normal" asserts that there is none."""
    return _OF_NORMAL[entity.certainty] if calls_normal(_parser(), entity.text) else entity.certainty


@lru_cache(maxsize=1)
def _parser() -> StatementParser:
    return StatementParser()


def _moved(entity: Entity, by: int) -> Entity:
    return entity._replace(start=entity.start + by, end=entity.end + by)


def _is_finding(graph: Graph, number: str) -> bool:
    """Return whether an entity is an observation of its own, not a measure or a quality of another observation."""
    entity = graph[number]
    return not entity.is_anatomy and not entity.is_measurement and not _modifies(graph, number)


def _modifies(graph: Graph, number: str) -> bool:
    """Return whether an entity modifies another one of its kind: "left" the kidney, "severe" the stenosis."""
    entity = graph[number]
    return any(target in graph and graph[target].is_anatomy == entity.is_anatomy for target in entity.targets("modify"))


def _status_of(certainties: set[str]) -> str | None:
    for certainty, status in (("present", "abnormal"), ("uncertain", "uncertain"), ("absent", "normal")):
        if certainty in certainties:
            return status
    return None
