"""Small scans, checkpoints and logits to segment with, and blending written out plainly."""

from collections.abc import Callable, Sequence
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import torch
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from torch import Tensor
from torch.nn import functional

from models.checkpoint import load_checkpoint, save_checkpoint
from models.connectors import Queries
from models.known_words import KnownWords
from models.preprocessing import Preprocessing
from models.segmenter import MaskStatistics, TextSegmenter, presence_logits
from models.stunet import STUNet
from models.text import TextEncoder
from tests.models.encoders import tiny_encoder
from train.data.structure_prompts import build_structure_prompts
from train.inference.labelling import label_scan
from train.inference.logit_volume import LogitVolume
from train.inference.options import SegmentOptions
from train.inference.prompts import SegmentPrompt
from train.inference.result import SegmentationResult
from train.inference.windows import Windows, blended_slabs
from train.scans.grid import Grid
from train.scans.scan import Scan

PREPROCESSING = Preprocessing(spacing_mm=(2, 2, 2), orientation="SAR", normalisation="zscore")


def tiny_checkpoint(
    folder: Path, connector: str = "mlp", *, queries: int = 1, known: Sequence[str] = (), **trained_on: object
) -> Path:
    """A text-guided segmenter with random weights, saved with a text encoder that spells.

    Where some words are `known`, all others are so far from them that they count as absent.
    """
    text = TextEncoder.from_pretrained(tiny_encoder(folder / "encoder"))
    torch.manual_seed(0)
    sizes = {"hidden": 64, "levels": 1, "queries_per_prompt": queries}
    model = TextSegmenter(STUNet("tiny"), text, connector, **sizes).eval()
    if known:
        words = KnownWords(len(known), text.embedding_dim)
        words.vectors.copy_(text.encode(list(known)))
        words.unknown.copy_(torch.tensor([0.999, 0.01]))
        model.connector.known = words
    where = folder / connector
    save_checkpoint(model, where, PREPROCESSING, trained_on=[trained_on] if trained_on else [])  # type: ignore[list-item]
    return where


def checkpoint_between_kidneys(folder: Path, text: str) -> Path:
    """A segmenter that knows both kidneys, and for which a text lies between them."""
    trained = build_structure_prompts(("kidney_left", "kidney_right"))
    checkpoint = load_checkpoint(tiny_checkpoint(folder / "before"))
    model = checkpoint.model
    assert isinstance(model, TextSegmenter) and model.text is not None
    vectors = functional.normalize(model.text.encode([*trained.names.values(), text]), dim=-1)
    known = KnownWords(2, model.text.embedding_dim, 1)
    known.vectors.copy_(vectors[:2])
    known.hold([(vectors[2], [0, 1])])
    known.unknown.copy_(torch.tensor([-1.0, 0.1]))
    model.connector.known = known
    save_checkpoint(model, folder / "between", PREPROCESSING, trained_on=[{"prompts": trained.to_json()}])
    return folder / "between"


def hounsfield(shape: Sequence[int], seed: int = 0) -> np.ndarray:
    """Something like a body in air, int16."""
    generator = np.random.default_rng(seed)
    place = np.stack(np.meshgrid(*(np.linspace(-1, 1, size) for size in shape), indexing="ij"))
    body = (place**2).sum(axis=0) < 0.8
    waves = sum(np.sin((4 + axis) * place[axis] + axis) for axis in range(3))
    inside = 40 + 50 * waves + generator.normal(0, 15, shape)
    return np.where(body, inside, -1000).astype(np.int16)


def affine_of(spacing: Sequence[float], axes: str = "RAS", origin: Sequence[float] = (-20, 10, 5)) -> np.ndarray:
    """From voxel index to RAS mm, for axes that run towards what `axes` says."""
    affine = np.diag([0.0, 0, 0, 1])
    for axis, (letter, mm) in enumerate(zip(axes, spacing, strict=True)):
        world = next(number for number, pair in enumerate(("RL", "AP", "SI")) if letter in pair)
        affine[world, axis] = mm if letter in "RAS" else -mm
    affine[:3, 3] = origin
    return affine


def nifti(path: Path, voxels: np.ndarray, affine: np.ndarray) -> Path:
    """A CT as NIfTI."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(voxels, affine)
    image.set_sform(affine, 1)
    image.set_qform(affine, 1)
    nibabel.save(image, path)
    return path


def dicom_series(folder: Path, voxels: np.ndarray, affine: np.ndarray) -> Path:
    """Voxels (X, Y, Z), axes L P S, as a series of one file a slice, whose names are in no order."""
    folder.mkdir(parents=True)
    study, series, frame = generate_uid(), generate_uid(), generate_uid()
    for k in range(voxels.shape[2]):
        header = pydicom.Dataset()
        header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, generate_uid()
        header.StudyInstanceUID, header.SeriesInstanceUID, header.FrameOfReferenceUID = study, series, frame
        header.Modality, header.PatientID, header.PatientName = "CT", "p1", "Test^Case"
        header.PatientBirthDate = header.PatientSex = header.AccessionNumber = header.StudyID = ""
        header.StudyDate = header.StudyTime = header.ReferringPhysicianName = ""
        header.SeriesNumber, header.InstanceNumber = 3, k + 1
        header.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        header.Rows, header.Columns = voxels.shape[1], voxels.shape[0]
        in_lps = np.diag([-1.0, -1, 1, 1]) @ affine
        header.ImagePositionPatient = [float(value) for value in (in_lps @ [0, 0, k, 1])[:3]]
        spacing = np.linalg.norm(in_lps[:3, :3], axis=0)
        header.ImageOrientationPatient = [float(value) for axis in (0, 1) for value in in_lps[:3, axis] / spacing[axis]]
        header.PixelSpacing, header.SliceThickness = [float(spacing[1]), float(spacing[0])], float(spacing[2])
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 16, 16, 15, 1
        header.RescaleSlope, header.RescaleIntercept = 1, -1024
        header.PixelData = (voxels[:, :, k].T + 1024).astype("<i2").tobytes()
        header.file_meta = FileMetaDataset()
        header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        pydicom.dcmwrite(folder / f"{(7 * k) % 101:03}.dcm", header, enforce_file_format=True)
    return folder


def scan_of(voxels: np.ndarray, affine: np.ndarray | None = None) -> Scan:
    """Without a file."""
    return Scan(Path("ct.nii.gz"), voxels.astype(np.float32), np.eye(4) if affine is None else affine, "nifti")


def volume_of(logits: Tensor, presence: Sequence[float] | None = None) -> LogitVolume:
    """Logits (P, X, Y, Z) on a network's grid that is that of a scan with axes R A S; all present unless said."""
    x, y, z = logits.shape[1:]
    grid = Grid((x, y, z), np.eye(4), (x, y, z), np.eye(4))
    presence_logits = torch.tensor(presence) if presence is not None else torch.full((len(logits),), 5.0)
    return LogitVolume(logits.half().numpy(), presence_logits, grid)


def result_of(
    logits: Tensor, names: Sequence[str], scan: Scan, presence: Sequence[float] | None = None
) -> SegmentationResult:
    """The result for these logits (P, X, Y, Z) at a scan's voxels, with the usual thresholds."""
    prompts = tuple(SegmentPrompt(name, name) for name in names)
    weights = "weights-0000000000000000.safetensors"
    return label_scan(scan, volume_of(logits, presence), prompts, SegmentOptions(), weights)


def blended(model: TextSegmenter, function: Callable[[Tensor], Tensor], volume: Tensor, windows: Windows) -> Tensor:
    """What `function` gives on windows, blended over a volume (1, D, H, W) and put together, (K, D, H, W)."""
    return torch.cat([values.clone() for _, values in blended_slabs(model.image, function, volume, windows)], dim=1)


def blended_features(model: TextSegmenter, volume: Tensor, windows: Windows) -> Tensor:
    """The finest features of a volume (1, D, H, W), (C, D, H, W)."""
    return blended(model, lambda window: model.image_features(window).levels[0], volume, windows)


@torch.no_grad()
def blended_logits(model: TextSegmenter, volume: Tensor, embeddings: Tensor, windows: Windows) -> tuple[Tensor, Tensor]:
    """Logits (P, D, H, W) and presence logits (P) where the logits of each prompt are blended, for either connector."""

    def logits_and_features(window: Tensor) -> Tensor:
        features = model.image_features(window)
        queries = model.queries(embeddings, features.bottleneck)[0]
        return torch.cat((queries.logits(features.levels[0]), features.levels[0]), dim=1)

    values = blended(model, logits_and_features, volume, windows)
    logits, features = values[: len(embeddings)], values[len(embeddings) :]
    statistics = MaskStatistics.of(logits[None], features[None])
    return logits, presence_logits(model.presence_queries(embeddings), statistics)[0]


@torch.no_grad()
def presence_of(features: Tensor, queries: Sequence[Queries]) -> Tensor:
    """Presence logits (P) in a volume of features (C, D, H, W)."""
    logits = queries[0].logits(features[None])
    return presence_logits(queries[-1], MaskStatistics.of(logits, features[None]))[0]


def ball(shape: Sequence[int], centre: Sequence[float], radius: float) -> Tensor:
    """Logits of a ball, (X, Y, Z): above 0 inside, falling by one with each voxel outwards."""
    place = torch.stack(torch.meshgrid(*(torch.arange(float(size)) for size in shape), indexing="ij"), dim=-1)
    return torch.sub(radius, torch.linalg.vector_norm(place - torch.tensor(centre), dim=-1))
