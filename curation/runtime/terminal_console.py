"""A console of Rich that reads no markup and escapes whatever it prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.text import Text

from .terminal import escaped


class EscapingConsole(Console):
    """Prints tables and lines. Strings are no markup; characters that a terminal obeys are written as escapes."""

    def __init__(self, *, stderr: bool = False, file: TextIO | None = None) -> None:
        super().__init__(stderr=stderr, file=file, markup=False, emoji=False, highlight=False)
        self.push_render_hook(_EscapeAll())

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string as text, escaped before its width is measured."""
        return super().render_str(escaped(text), **options)


class _EscapeAll(RenderHook):
    def process_renderables(self, renderables: Sequence[ConsoleRenderable]) -> list[ConsoleRenderable]:
        """Return what is about to be printed, escaped."""
        return [_Escaped(renderable) for renderable in renderables]


class _Escaped:
    """Renders something else, with the text of each segment escaped."""

    def __init__(self, renderable: ConsoleRenderable) -> None:
        self._renderable = renderable

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._renderable, options):
            yield segment if segment.control else Segment(escaped(segment.text), segment.style)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, self._renderable)
