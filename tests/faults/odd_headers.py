"""Headers of scans with odd values in them: one to three fields of a header changed to what no field should hold."""

import random
import struct
from pathlib import Path
from typing import Any

import nibabel
import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset

NUMBERS = (0.0, -1.0, 1.0, 0.5, 2.0, 1e-30, 1e30, 3.4e38, float("nan"), float("inf"), 255.0, 32767.0, 65536.0, -3.0)
TEXTS = (
    "",
    "0",
    "-1",
    "1",
    "nan",
    "inf",
    "3,0",
    "1e400",
    "-0.5",
    "abc",
    "9" * 30,
    "1 2 3",
    "%d",
    "true",
    "3.5",
    "\\",
    "µ",
)
TAGS = """
    Rows Columns PixelSpacing ImagePositionPatient ImageOrientationPatient RescaleSlope RescaleIntercept BitsAllocated
    BitsStored HighBit PixelRepresentation SamplesPerPixel PhotometricInterpretation ImageType Modality
    SeriesInstanceUID SOPInstanceUID SOPClassUID NumberOfFrames SpecificCharacterSet
""".split()


def odd_nifti(whole: bytes, chance: random.Random) -> bytes:
    """A NIfTI-1 file with numbers in its header that its fields should not hold."""
    raw = bytearray(whole)
    template: Any = nibabel.Nifti1Header.template_dtype
    names = [name for name in template.names or () if template[name].base.kind in "if"]
    for _ in range(chance.choice((1, 1, 2, 3))):
        name = chance.choice(names)
        kind, place = template.fields[name][0], template.fields[name][1]
        base, count = kind.base, max(1, kind.itemsize // kind.base.itemsize)
        value = chance.choice(NUMBERS)
        code = {"f4": "f", "i2": "h", "i4": "i", "u1": "B", "i1": "b"}[base.str[1:]]
        if code != "f":
            bits = 8 * base.itemsize
            whole_number = 7 if value != value or abs(value) > 1e9 else int(value)
            value = whole_number % (1 << bits) - (
                1 << bits if base.kind == "i" and whole_number % (1 << bits) >> (bits - 1) else 0
            )
        struct.pack_into("<" + code, raw, place + chance.randrange(count) * base.itemsize, value)
    return bytes(raw)


def odd_text(whole: bytes, chance: random.Random) -> bytes:
    """A NRRD or MetaImage file with lines of its header lost, doubled or with other words in them."""
    end = whole.index(b"\n\n") + 1 if whole.startswith(b"NRRD") else whole.index(b"ElementDataFile")
    lines = whole[:end].split(b"\n")[:-1]
    for _ in range(chance.choice((1, 1, 2, 3))):
        number = chance.randrange(1, len(lines))
        kind = chance.random()
        if kind < 0.15 and len(lines) > 3:
            del lines[number]
        elif kind < 0.2:
            lines.insert(chance.randrange(1, len(lines)), lines[number])
        else:
            words = lines[number].replace(b"(", b" ( ").replace(b")", b" ) ").replace(b",", b" , ").split(b" ")
            place = chance.randrange(min(1, len(words) - 1), len(words))
            words[place] = chance.choice(TEXTS).encode()
            lines[number] = b" ".join(words)
    return b"\n".join(lines) + b"\n" + whole[end:]


def odd_dicom(path: Path, chance: random.Random) -> None:
    """Give one to three tags of a DICOM file other values, or take them out."""
    header = pydicom.dcmread(path)
    for _ in range(chance.choice((1, 1, 2, 3))):
        change_tag(header, chance.choice(TAGS), chance)
    pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
    header.save_as(path)


def change_tag(header: Dataset, name: str, chance: random.Random) -> None:
    """Change one tag to bytes that may be no value of it."""
    if name not in header or chance.random() < 0.1:
        if name in header:
            delattr(header, name)
        return
    element: Any = header[name]
    tag, kind = element.tag, element.VR
    if kind in ("US", "SS"):
        value = struct.pack("<H", int(chance.choice((0, 1, 2, 7, 8, 12, 16, 24, 32, 65535))))
    else:
        count = element.VM if chance.random() < 0.8 else chance.randrange(8)
        texts = [str(one) for one in (element.value if element.VM > 1 else [element.value])]
        texts = (texts * 8)[: max(count, 1)]
        texts[chance.randrange(len(texts))] = chance.choice(TEXTS)
        value = "\\".join(texts).encode("latin-1")
        value += b" " * (len(value) % 2)
    header[name] = RawDataElement(tag, kind, len(value), value, 0, False, True)
