"""Reading MetaImage and NRRD files with SimpleITK; what is packed in them is unpacked here, to its checksum."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import SimpleITK

from ..errors import ScanError
from ..formats import FileKind, StoredVolume, check_file, no_intensities, several_numbers, three_axes
from ..geometry import LPS_TO_RAS, check_place, index_to_lps, lost_spacing
from ..promised_size import check_stored, check_voxels, stored_bytes
from ..voxel_stream import PADDING_BYTES, read_voxels, unpacked_stream
from .data_files import data_files
from .packed_metaimage import flag_of, is_big_endian, packed_voxels, unpacked
from .text_header import SaidOfSpace, TextHeader, check_axes, read_text_header, said_of_space

IMAGE_IO: dict[FileKind, str] = {"metaimage": "MetaImageIO", "nrrd": "NrrdImageIO"}
VOXEL_TYPES = {
    SimpleITK.sitkUInt8: "u1",
    SimpleITK.sitkInt8: "i1",
    SimpleITK.sitkUInt16: "u2",
    SimpleITK.sitkInt16: "i2",
    SimpleITK.sitkUInt32: "u4",
    SimpleITK.sitkInt32: "i4",
    SimpleITK.sitkFloat32: "f4",
    SimpleITK.sitkUInt64: "u8",
    SimpleITK.sitkInt64: "i8",
    SimpleITK.sitkFloat64: "f8",
}
VOXEL_TYPES |= {
    SimpleITK.sitkVectorUInt8: "u1",
    SimpleITK.sitkVectorInt8: "i1",
    SimpleITK.sitkVectorUInt16: "u2",
    SimpleITK.sitkVectorInt16: "i2",
    SimpleITK.sitkVectorUInt32: "u4",
    SimpleITK.sitkVectorInt32: "i4",
}
# The kinds of the axes of a NRRD file that is a list of volumes.
LIST_OF_VOLUMES = ["list", "domain", "domain", "domain"]
# The encodings of NRRD files that are unpacked here. ITK has no bzip2, and does not look at the length behind gzip.
PACKED = ("gzip", "gz", "bzip2", "bz2")
UNPACKED = ("raw", "text", "txt", "ascii", "hex")
# A line of a MetaImage header.
HEADER_LINE = re.compile(rb"[\r\n]*[A-Za-z][A-Za-z0-9_ ]*[=:][^\r\n]*")
SAYS = "the size in its header"


class ItkHeader(NamedTuple):
    """A MetaImage or NRRD header, by ITK and as text: lengths of the axes, affine (4, 4) to RAS mm, and its doubts.

    `is_list` is set where each voxel has several numbers, one of each volume of a list.
    """

    reader: Any
    text: TextHeader
    shape: tuple[int, ...]
    affine: np.ndarray[Any, Any]
    said: SaidOfSpace
    is_list: bool


def read_simpleitk(path: Path, kind: FileKind) -> StoredVolume:
    """Read a MetaImage or NRRD file and turn its affine from LPS to RAS. Raises `ScanError` as `read_nifti`."""
    return _stored_volume(path, kind, read_itk_header(path, kind))


def read_nrrd_layers(path: Path) -> StoredVolume:
    """Read a NRRD file with the pairs of its header; (L, X, Y, Z) where its first axis is a list of L volumes.

    3D Slicer stores segments that overlap so. Raises `ScanError` as `read_nifti`.
    """
    header = read_itk_header(path, "nrrd", may_be_list=True)
    pairs = {key: header.reader.GetMetaData(key) for key in header.reader.GetMetaDataKeys()}
    return replace(_stored_volume(path, "nrrd", header), pairs=pairs)


def _stored_volume(path: Path, kind: FileKind, header: ItkHeader) -> StoredVolume:
    shape, dtype = _check_promise(path, header)
    x, y, z = shape[-3:]
    hint = "" if header.said.scale == 1 else f"; a unit of its header is {header.said.scale:g} mm"
    doubts = check_place(path, (x, y, z), header.affine, hint)
    if not header.said.doubts:
        doubts = (*lost_spacing(header.affine), *doubts)
    array = _voxels(path, header, shape, dtype)
    return StoredVolume(array, header.affine, kind, (*header.said.doubts, *doubts), header.said.blank)


def read_itk_header(path: Path, kind: FileKind, *, may_be_list: bool = False) -> ItkHeader:
    """Read the header of a MetaImage or NRRD file, by the format that its name says.

    SimpleITK alone would try all of its formats on a file. `may_be_list`: whether the first axis of a NRRD file may be
    a list of volumes.

    Raises:
        ScanError: it cannot be read, or names files of voxels that are not below its folder.
    """
    check_file(path)
    data_files(path)
    text = read_text_header(path)
    is_list = may_be_list and text.fields.get("kinds", "").lower().split() == LIST_OF_VOLUMES
    if not is_list:
        check_axes(text)
    _check_encoding(text)
    said = said_of_space(text)
    make_reader: Any = SimpleITK.ImageFileReader
    reader = make_reader()
    reader.SetFileName(str(path))
    reader.SetImageIO(IMAGE_IO[kind])
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _damaged(path, error) from error
    if reader.GetDimension() < 3:
        three_axes(path, reader.GetSize())
    affine = LPS_TO_RAS @ index_to_lps(reader.GetOrigin(), reader.GetDirection(), reader.GetSpacing())
    affine = np.diag([said.scale, said.scale, said.scale, 1]) @ affine
    return ItkHeader(reader, text, tuple(reader.GetSize()), affine, said, is_list)


def _check_promise(path: Path, header: ItkHeader) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return the lengths of the axes, the number of volumes of a list first, and the type of voxels, as a header says.

    Raises:
        ScanError: it promises more than its files hold, or than a scan has.
    """
    reader = header.reader
    count = reader.GetNumberOfComponents()
    if count != 1 and not header.is_list:
        raise several_numbers(path, count)
    axes = (*([count] if header.is_list else []), *three_axes(path, header.shape))
    check_voxels(path, axes, SAYS)
    voxel_type = VOXEL_TYPES.get(reader.GetPixelID())
    if voxel_type is None:
        raise no_intensities(path, SimpleITK.GetPixelIDValueAsString(reader.GetPixelID()))
    dtype = np.dtype(voxel_type)
    check_stored(path, axes, dtype.itemsize, stored_bytes(path), SAYS)
    return axes, dtype


def _voxels(path: Path, header: ItkHeader, axes: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Return the voxels, (X, Y, Z) or of a list (L, X, Y, Z). Raises `ScanError` for damaged, too few or too many."""
    text = header.text
    if text.is_nrrd:
        encoding = text.fields.get("encoding", "raw").lower()
        if encoding in PACKED and not _skips(text):
            return np.asarray(_packed_nrrd(path, text, axes, dtype))
        if encoding == "raw" and not _skips(text):
            _check_not_longer(path, text, axes, dtype)
    else:
        packed = packed_voxels(path)
        if packed is not None:
            return unpacked(path, packed, axes, dtype)
        files = data_files(path) or [path]
        if flag_of(path, {"BinaryData": "True", **text.fields}, "BinaryData") and not (
            len(files) > 1 or "HeaderSize" in text.fields
        ):
            stored = dtype.newbyteorder(">" if is_big_endian(path, text.fields) else "<")
            _check_no_lines(text, files[0], int(np.prod(axes)) * dtype.itemsize)
            with files[0].open("rb") as file:
                file.seek(text.end if files[0] == path else 0)
                return read_voxels(path, file, axes, stored, SAYS)
    try:
        array = np.asarray(SimpleITK.GetArrayFromImage(header.reader.Execute()))
        return np.asarray(array.transpose().reshape(axes))
    except RuntimeError as error:
        raise _damaged(path, error) from error


def _check_encoding(text: TextHeader) -> None:
    """Raise `ScanError` for a NRRD file whose voxels are stored in a way that is not read here."""
    encoding = text.fields.get("encoding", "raw").lower()
    known = (*PACKED, *UNPACKED) if not _skips(text) else (*PACKED[:2], *UNPACKED)
    if text.is_nrrd and encoding not in known:
        raise ScanError(
            f"{text.path}: its voxels are stored in the encoding {encoding[:40]!r}, which is not read here. Save it "
            "with the encoding gzip or raw"
        )


def _skips(text: TextHeader) -> bool:
    """Whether a NRRD header has its voxels behind lines or bytes of another header."""
    return any(text.fields.get(name, "0") != "0" for name in ("byteskip", "lineskip"))


def _packed_nrrd(path: Path, text: TextHeader, axes: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    files = data_files(path) or [path]
    if len(files) > 1:
        raise ScanError(f"{path}: its packed voxels are in {len(files)} files. Save it as one file")
    if text.fields.get("endian", "little").lower() == "big":
        dtype = dtype.newbyteorder(">")
    with unpacked_stream(files[0], text.end if files[0] == path else 0) as file:
        return read_voxels(path, file, axes, dtype, SAYS)


def _check_not_longer(path: Path, text: TextHeader, axes: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise `ScanError` where raw voxels are followed by more than padding: their header does not say how many."""
    files = data_files(path)
    held = path.stat().st_size - text.end if files is None else sum(file.stat().st_size for file in files)
    needed = int(np.prod(axes)) * dtype.itemsize
    if held - needed > min(PADDING_BYTES, needed // axes[-1] - 1):
        raise ScanError(
            f"{path}: cut off or damaged ({SAYS} says {' x '.join(map(str, axes))} voxels, {needed:,} bytes; there are "
            f"{held:,}). Copy or export it once more"
        )


def _check_no_lines(text: TextHeader, file: Path, needed: int) -> None:
    """Raise `ScanError` where more lines of the header follow that which says that the voxels begin."""
    extra = file.stat().st_size - text.end - needed if file == text.path else 0
    if extra <= 0:
        return
    with file.open("rb") as stream:
        stream.seek(text.end)
        head = stream.read(extra)
        stream.seek(text.end + needed)
        behind = stream.read(extra)
    if (line := HEADER_LINE.match(head)) or any(behind):
        what = f", first {line[0][:60].decode('latin-1').strip()!r}" if line else ""
        raise ScanError(
            f"{text.path}: damaged, {extra} bytes too many stand behind ElementDataFile = LOCAL{what}: that line has "
            "to be the last of the header. Move it there, or export the scan once more"
        )


def _damaged(path: Path, error: RuntimeError) -> ScanError:
    """Return the error for a file that ITK cannot read; the last of its lines says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return ScanError(f"{path}: damaged, cut off or without its data file ({lines[-1]}). Copy or export it once more")
