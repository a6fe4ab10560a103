"""Edits of a text, and the way back: which characters of the original a passage of the edited text comes from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class Edit(NamedTuple):
    """One passage ``[start, end)`` of a text that is written as ``replacement``; ``kind`` names what stood there.

    Offsets count characters from 0.
    """

    start: int
    end: int
    replacement: str
    kind: str


@dataclass(frozen=True, slots=True)
class EditedText:
    """A text after edits that do not overlap, in the order of the text.

    ``starts[i]`` is where edit ``i`` begins in the edited text, ``shifts[i]`` what is added to an offset of the edited
    text behind it to get the offset in the original.
    """

    text: str
    edits: tuple[Edit, ...]
    starts: tuple[int, ...]
    shifts: tuple[int, ...]

    def original_start(self, place: int) -> int:
        """Return where the character at ``place`` of the edited text begins in the original.

        Of a character that a replacement brought in, it is where the replaced passage begins.
        """
        index = self._last_edit_from(place)
        if index < 0:
            return place
        edit, start = self.edits[index], self.starts[index]
        return edit.start if place < start + len(edit.replacement) else place + self.shifts[index]

    def original_end(self, place: int) -> int:
        """Return where the character before ``place`` ends in the original (0 for the beginning of the text)."""
        if place <= 0:
            return 0
        index = self._last_edit_from(place - 1)
        if index < 0:
            return place
        edit, start = self.edits[index], self.starts[index]
        return edit.end if place - 1 < start + len(edit.replacement) else place + self.shifts[index]

    def edited_place(self, place: int) -> int:
        """Return where the character at ``place`` of the original stands in the edited text.

        Of a passage that was replaced it is the beginning of what stands for it.
        """
        low, high = 0, len(self.edits)
        while low < high:
            middle = (low + high) // 2
            if self.edits[middle].end <= place:
                low = middle + 1
            else:
                high = middle
        if low < len(self.edits) and self.edits[low].start <= place:
            return self.starts[low]
        return place - (self.shifts[low - 1] if low else 0)

    def _last_edit_from(self, place: int) -> int:
        """Return the number of the last edit that begins at ``place`` or before it in the edited text; -1 for none.

        Of edits that begin at one place, all but the last have no characters there.
        """
        return bisect_right(self.starts, place) - 1


def apply_edits(text: str, edits: Iterable[Edit]) -> EditedText | None:
    """Return a text with edits made, None where none of them changes it.

    An edit that begins inside an earlier one is left out.
    """
    pieces: list[str] = []
    applied: list[Edit] = []
    starts: list[int] = []
    shifts: list[int] = []
    read = written = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
        if edit.start < read or text[edit.start : edit.end] == edit.replacement:
            continue
        pieces += (text[read : edit.start], edit.replacement)
        starts.append(written + edit.start - read)
        written += edit.start - read + len(edit.replacement)
        read = edit.end
        applied.append(edit)
        shifts.append(read - written)
    if not applied:
        return None
    pieces.append(text[read:])
    return EditedText("".join(pieces), tuple(applied), tuple(starts), tuple(shifts))
