"""TotalSegmentator's data sets, v1 and v2, and their mirror with one label map for each case."""

from __future__ import annotations

import csv
from pathlib import Path

from .cases import Case, CaseProblem, DataError, DataSet, LabelFiles, Split, parse_split
from .volume_names import is_volume, volumes_in

# Source: TotalSegmentator (Apache-2.0), map_to_binary.py, `total_v1` and `total` of v2. Ids count from 1.
V1_STRUCTURES: tuple[str, ...] = tuple(
    """
    spleen kidney_right kidney_left gallbladder liver stomach aorta inferior_vena_cava portal_vein_and_splenic_vein
    pancreas adrenal_gland_right adrenal_gland_left lung_upper_lobe_left lung_lower_lobe_left lung_upper_lobe_right
    lung_middle_lobe_right lung_lower_lobe_right vertebrae_L5 vertebrae_L4 vertebrae_L3 vertebrae_L2 vertebrae_L1
    vertebrae_T12 vertebrae_T11 vertebrae_T10 vertebrae_T9 vertebrae_T8 vertebrae_T7 vertebrae_T6 vertebrae_T5
    vertebrae_T4 vertebrae_T3 vertebrae_T2 vertebrae_T1 vertebrae_C7 vertebrae_C6 vertebrae_C5 vertebrae_C4
    vertebrae_C3 vertebrae_C2 vertebrae_C1 esophagus trachea heart_myocardium heart_atrium_left
    heart_ventricle_left heart_atrium_right heart_ventricle_right pulmonary_artery brain iliac_artery_left
    iliac_artery_right iliac_vena_left iliac_vena_right small_bowel duodenum colon rib_left_1 rib_left_2 rib_left_3
    rib_left_4 rib_left_5 rib_left_6 rib_left_7 rib_left_8 rib_left_9 rib_left_10 rib_left_11 rib_left_12
    rib_right_1 rib_right_2 rib_right_3 rib_right_4 rib_right_5 rib_right_6 rib_right_7 rib_right_8 rib_right_9
    rib_right_10 rib_right_11 rib_right_12 humerus_left humerus_right scapula_left scapula_right clavicula_left
    clavicula_right femur_left femur_right hip_left hip_right sacrum face gluteus_maximus_left
    gluteus_maximus_right gluteus_medius_left gluteus_medius_right gluteus_minimus_left gluteus_minimus_right
    autochthon_left autochthon_right iliopsoas_left iliopsoas_right urinary_bladder
    """.split()
)
V2_STRUCTURES: tuple[str, ...] = tuple(
    """
    spleen kidney_right kidney_left gallbladder liver stomach pancreas adrenal_gland_right adrenal_gland_left
    lung_upper_lobe_left lung_lower_lobe_left lung_upper_lobe_right lung_middle_lobe_right lung_lower_lobe_right
    esophagus trachea thyroid_gland small_bowel duodenum colon urinary_bladder prostate kidney_cyst_left
    kidney_cyst_right sacrum vertebrae_S1 vertebrae_L5 vertebrae_L4 vertebrae_L3 vertebrae_L2 vertebrae_L1
    vertebrae_T12 vertebrae_T11 vertebrae_T10 vertebrae_T9 vertebrae_T8 vertebrae_T7 vertebrae_T6 vertebrae_T5
    vertebrae_T4 vertebrae_T3 vertebrae_T2 vertebrae_T1 vertebrae_C7 vertebrae_C6 vertebrae_C5 vertebrae_C4
    vertebrae_C3 vertebrae_C2 vertebrae_C1 heart aorta pulmonary_vein brachiocephalic_trunk subclavian_artery_right
    subclavian_artery_left common_carotid_artery_right common_carotid_artery_left brachiocephalic_vein_left
    brachiocephalic_vein_right atrial_appendage_left superior_vena_cava inferior_vena_cava
    portal_vein_and_splenic_vein iliac_artery_left iliac_artery_right iliac_vena_left iliac_vena_right humerus_left
    humerus_right scapula_left scapula_right clavicula_left clavicula_right femur_left femur_right hip_left
    hip_right spinal_cord gluteus_maximus_left gluteus_maximus_right gluteus_medius_left gluteus_medius_right
    gluteus_minimus_left gluteus_minimus_right autochthon_left autochthon_right iliopsoas_left iliopsoas_right
    brain skull rib_left_1 rib_left_2 rib_left_3 rib_left_4 rib_left_5 rib_left_6 rib_left_7 rib_left_8 rib_left_9
    rib_left_10 rib_left_11 rib_left_12 rib_right_1 rib_right_2 rib_right_3 rib_right_4 rib_right_5 rib_right_6
    rib_right_7 rib_right_8 rib_right_9 rib_right_10 rib_right_11 rib_right_12 sternum costal_cartilages
    """.split()
)


def is_totalsegmentator(root: Path) -> bool:
    """Whether `root` contains folders of cases with masks."""
    return any((path.parent / "segmentations").is_dir() for path in root.glob("*/ct.nii*"))


def read_totalsegmentator(root: Path) -> DataSet:
    """Read `<id>/ct.nii.gz` with `<id>/segmentations/<structure>.nii.gz`, v1 or v2 by the names of the structures.

    A structure without a file is absent (v2), and with `--labelled present` it is unknown: the mask files of a case,
    also empty ones, are then what was looked for in it. A structure without a file in any case is not one of the data
    set's. Structures that TotalSegmentator does not know come after its own, by name. Splits: `meta.csv` (`;`),
    columns image_id, split.
    """
    images: dict[Path, Path] = {}
    for path in sorted(root.glob("*/ct.nii*")):
        if is_volume(path.name) and images.setdefault(path.parent, path) != path:
            raise DataError(f"{path} and {images[path.parent].name} are two scans of one case; take one of them out")
    masks = {folder: volumes_in(folder / "segmentations") for folder in images}
    present = {name for files in masks.values() for name in files}
    v1 = bool(present & (set(V1_STRUCTURES) - set(V2_STRUCTURES)))
    v1 = v1 and not present & (set(V2_STRUCTURES) - set(V1_STRUCTURES))
    standard = V1_STRUCTURES if v1 else V2_STRUCTURES
    names = [*standard, *sorted(present - set(standard))]
    ids = {name: number for number, name in enumerate(names, 1)}
    splits = _read_splits(root / "meta.csv")
    cases, problems = [], []
    for folder, image in images.items():
        name = folder.name
        if not masks[folder]:
            problems.append(CaseProblem(name, folder, "no masks in segmentations/"))
            continue
        masks_by_id = sorted((ids[structure], path) for structure, path in masks[folder].items())
        cases.append(Case(name, name, name, image, splits.get(name), LabelFiles(masks=tuple(masks_by_id))))
    problems += [
        CaseProblem(folder.parent.name, folder.parent, "segmentations/ without ct.nii.gz")
        for folder in sorted(root.glob("*/segmentations"))
        if folder.parent not in images
    ]
    structures: dict[str, tuple[int, ...]] = {name: (ids[name],) for name in names if name in present}
    layout = "totalsegmentator-v1" if v1 else "totalsegmentator-v2"
    return DataSet(root, layout, tuple(cases), structures, (), tuple(problems))


def is_totalsegmentator_maps(root: Path) -> bool:
    """Whether images and label maps lie in two folders, as in TotalSegmentator-CT-Lite."""
    return (root / "Images").is_dir() and (root / "Masks").is_dir()


def read_totalsegmentator_maps(root: Path) -> DataSet:
    """Read `Images/<id>.nii.gz` with `Masks/<id>.nii.gz`, a label map with the ids of v2 (TotalSegmentator-CT-Lite)."""
    label_maps = volumes_in(root / "Masks")
    cases, problems = [], []
    splits = _read_splits(root / "meta.csv")
    for name, image in volumes_in(root / "Images").items():
        if name in label_maps:
            cases.append(Case(name, name, name, image, splits.get(name), LabelFiles(map=label_maps[name])))
        else:
            problems.append(CaseProblem(name, image, "no label map of this name in Masks/"))
    named = {case.id for case in cases}
    problems += [
        CaseProblem(name, path, "no image of this name in Images/")
        for name, path in label_maps.items()
        if name not in named
    ]
    structures: dict[str, tuple[int, ...]] = {name: (number,) for number, name in enumerate(V2_STRUCTURES, 1)}
    return DataSet(root, "totalsegmentator-maps", tuple(cases), structures, (), tuple(problems))


def _read_splits(path: Path) -> dict[str, Split]:
    """Return the splits by image id; empty without the file or without its columns image_id and split.

    A row without a split, or that is blank, says nothing: its case goes where any case goes that is not named.

    Raises:
        DataError: a row has a split but no image, another word for its split, or a split that an earlier row denies.
    """
    if not path.is_file():
        return {}
    splits: dict[str, Split] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = file.readline()
        file.seek(0)
        rows = csv.DictReader(file, delimiter=max(";,\t", key=header.count))
        if not {"image_id", "split"} <= set(rows.fieldnames or ()):
            return {}
        for row in rows:
            name, split = ((row[column] or "").strip() for column in ("image_id", "split"))
            where = f"{path}, line {rows.line_num}"
            if not split:
                continue
            if not name:
                raise DataError(f"{where}: a split {split!r} without an image_id; fill it in, or delete the row")
            parsed = parse_split(split, f"{where}: {name}")
            if splits.setdefault(name, parsed) != parsed:
                raise DataError(f"{where}: {name} is in {parsed}, but in {splits[name]} above; delete one of the rows")
    return splits
