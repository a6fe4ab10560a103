"""Names and colours of a label map's labels, in the forms that viewers read.

in the NIfTI file      a Caret label table (extension 30): Connectome Workbench, TotalSegmentator's own tools
mask.ctbl              a colour table of 3D Slicer
mask.itksnap.txt       label descriptions of ITK-SNAP
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from ..label_table import LabelRow
from .colours import Colour, structure_colours

# Says who wrote a file, so that a later run may replace it.
WRITTEN_BY = "written by ovct segment"
_SNAP_COLUMNS = """\
# ITK-SnAP Label Description File
# {written_by}
# File format:
# IDX   -R-  -G-  -B-  -A--  VIS MSH  LABEL
"""


def colours_of(rows: Sequence[LabelRow]) -> dict[str, Colour]:
    """Return the colour of each row's structure, by its name."""
    return structure_colours([(row.name, row.prompt) for row in rows])


def caret_label_table(rows: Sequence[LabelRow]) -> bytes:
    """Return the XML of a NIfTI file's label table: a key, a name and a colour for each label."""
    root = ElementTree.Element("CaretExtension")
    volume = ElementTree.SubElement(root, "VolumeInformation", Index="0")
    table = ElementTree.SubElement(volume, "LabelTable")
    colours = colours_of(rows)
    for row in rows:
        red, green, blue = (f"{level / 255:.6g}" for level in colours[row.name])
        label = ElementTree.SubElement(table, "Label", Key=str(row.label), Red=red, Green=green, Blue=blue, Alpha="1")
        label.text = "".join(character if character.isprintable() else " " for character in row.name)
    ElementTree.SubElement(volume, "StudyMetaDataLinkSet")
    ElementTree.SubElement(volume, "VolumeType").text = "Label"
    xml: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return xml


def write_slicer_colours(rows: Sequence[LabelRow], path: Path) -> None:
    """Write a colour table of 3D Slicer, in which blanks of names are underscores."""
    lines = [f"# {WRITTEN_BY}", f"# {max(row.label for row in rows) + 1} values", "0 Background 0 0 0 0"]
    colours = colours_of(rows)
    for row in rows:
        red, green, blue = colours[row.name]
        lines.append(f"{row.label} {'_'.join(row.name.split())} {red} {green} {blue} 255")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_itksnap_labels(rows: Sequence[LabelRow], path: Path) -> None:
    """Write label descriptions of ITK-SNAP, in which quotes of names are single ones."""
    lines = ['    0     0    0    0        0  0  0    "Clear Label"']
    colours = colours_of(rows)
    for row in rows:
        red, green, blue = colours[row.name]
        name = row.name.replace('"', "'")
        lines.append(f'{row.label:5} {red:5} {green:4} {blue:4}        1  1  1    "{name}"')
    path.write_text(_SNAP_COLUMNS.format(written_by=WRITTEN_BY) + "\n".join(lines) + "\n", encoding="utf-8")
