"""Rules for the 18 CT-RATE labels over captions: under which organ, in which words.

The people who set the labels left no guideline. The meaning of a label was read off the reports of one half of the
file: which finding comes with it and which does not. ``why`` says it in words; the patterns follow from it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CaptionPattern:
    """One way in which a caption may carry a label.

    ``organs`` lists the organs that the caption may be filed under: each name stands for all its parts too, unless
    ``=`` stands before it; ``-`` removes them again; a list that only removes begins with every organ. One of ``terms``
    must be said and not denied. ``unless`` are words that make the caption something else. With ``sure`` a mere
    suspicion does not count.
    """

    organs: str
    terms: re.Pattern[str]
    unless: re.Pattern[str] | None
    sure: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A label, what it means (``why``), and the patterns of captions that carry it."""

    label: str
    why: str
    patterns: tuple[CaptionPattern, ...]


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


def _pattern(organs: str, *terms: str, unless: tuple[str, ...] = (), sure: bool = False) -> CaptionPattern:
    return CaptionPattern(organs, _words(*terms), _words(*unless) if unless else None, sure)


GONE = _words(
    r"(?<!almost )(?<!nearly )(?:complete|full|total)\w* (?:regress|resol|resorb|disappear)\w*",
    r"\bdisappeared\b",
    r"\b(?:was|were|been) removed\b",
    r"\b(?:cannot|could not) be (?:evaluated|assessed)\b",
)
"""Words by which a caption says that its finding is no longer there, or could not be looked for."""

LUNG = "lungs, airways, pleura, vessels, -heart, -lymph nodes, -trachea"
_CALCIFIED = (r"calcif\w+", r"athero\w+", r"plaques?\b")
_CALCIFICATION = "(?:" + "|".join(_CALCIFIED) + ")"
_THICK = r"thick\w+"
ANY_WORD = r"\w"

RULES = (
    Rule(
        "Medical material",
        "A device or foreign material that is seen: catheter, tube, stent, pacemaker, suture, clip, fixation, implant. "
        "That something was operated on or resected does not count, nor does a tumour implant.",
        (
            _pattern("devices, -foreign body", ANY_WORD),
            _pattern(
                "-peritoneum, -omentum, -abdominal wall, -soft tissues",
                r"catheter|cannula|\btubes?\b|\bports?\b|\bdrains?\b|tracheostomy|\bPEG\b",
                r"pacemaker|\bpace\b|\bICD\b|electrode|\bwires?\b|valve replacement",
                r"\bstents?\b|\bcoils?\b|\bmesh\b|prosthe|implants?\b|fixat|\bscrews?\b|vertebroplasty",
                r"\bclips?\b|sutur|sternotomy|metall?ic|surgical material",
            ),
        ),
    ),
    Rule(
        "Arterial wall calcification",
        "Atheroma or a calcified wall of the aorta or of any named artery but a coronary one.",
        (
            _pattern(
                "vessels, mediastinum, heart, -=arteries, -coronary arteries, -heart valves, -lymph nodes",
                *_CALCIFIED,
                unless=(r"\blymph", r"nodul", r"valv", r"annul"),
            ),
        ),
    ),
    Rule(
        "Cardiomegaly",
        "The heart as a whole is called large; a wide atrium or ventricle alone does not count.",
        (
            _pattern(
                "heart, -cardiac chambers, -coronary arteries, -heart valves, -pericardium",
                r"cardiomegal\w+|enlarge\w*|increas\w+|larger|bigger|dilat\w+|hypertroph\w+|above|upper limit",
                unless=(r"aort", r"effusion", r"thicken", r"calcif"),
            ),
        ),
    ),
    Rule(
        "Pericardial effusion",
        "Fluid in the pericardium, however little.",
        (_pattern("pericardium", r"effusion", r"fluid"),),
    ),
    Rule(
        "Coronary artery wall calcification",
        "Atheroma or calcification of a coronary artery or a branch of it, or a stent in it.",
        (
            _pattern("coronary arteries", *_CALCIFIED, r"\bstents?\b"),
            _pattern(
                "vessels, heart, mediastinum",
                rf"(?:coronar\w+|\bLAD\b)[^.;]*{_CALCIFICATION}",
                rf"{_CALCIFICATION}[^.;]*(?:coronar|\bLAD\b)",
            ),
        ),
    ),
    Rule(
        "Hiatal hernia",
        "A hernia at the oesophageal hiatus, sliding or not.",
        (_pattern("", r"hiat\w+ hernia", r"hernia\w*[^.;]*hiat\w+", r"sliding (?:type )?hernia"),),
    ),
    Rule(
        "Lymphadenopathy",
        "Any lymph node outside the abdomen that is seen, whatever its size: most reports with this label speak of "
        "nodes of a few millimetres that are not pathological. Only a denial of (enlarged) nodes is negative.",
        (
            _pattern(
                "lymph nodes, mediastinum, -abdominal lymph nodes",
                r"lymph nodes?(?! stations?)|adenopath\w+|lymphadenopath\w+|\bLAPs?\b",
            ),
        ),
    ),
    Rule(
        "Emphysema",
        "Emphysema, bullae or blebs.",
        (_pattern(LUNG, r"emphysem\w+", r"\bbulla\w*|\bbullous", r"\bblebs?\b"),),
    ),
    Rule(
        "Atelectasis",
        "Atelectasis of any kind, band, linear or passive; but not fibroatelectasis, which is a sequela.",
        (_pattern(LUNG, r"(?<!fibro)(?<!fibro.)\batelec\w+"),),
    ),
    Rule(
        "Lung nodule",
        "A nodule, or a lesion called nodular. Nodular ground glass, consolidation or density is none.",
        (_pattern(LUNG, r"nodules?\b", r"nodular lesions?", unless=(r"thyroid", r"\bpleural nodul"), sure=True),),
    ),
    Rule(
        "Lung opacity",
        "Ground glass, opacity, or a density that is increased and not called a sequela. Consolidation has a label of "
        "its own: alone it is no opacity.",
        (
            _pattern(LUNG, r"ground.?glass", r"frosted.?glass", r"\bopaci\w+", r"\bGGOs?\b"),
            _pattern(
                "lungs, pleura",
                r"densit\w+ (?:increas|increment)\w*",
                r"(?:increas|increment)\w*[^.;,]{0,40}\bdensit\w+",
                r"soft tissue[^.;,]*\bdensit\w+",
                unless=(r"sequel|fibro|cicatri|scar", r"consolid", r"low.density", r"pleuro?.{0,3}parenchymal"),
            ),
        ),
    ),
    Rule(
        "Pulmonary fibrotic sequela",
        "Sequelae, fibrosis, scars and fibrotic bands, fibroatelectasis too; band atelectasis is atelectasis.",
        (
            _pattern(
                LUNG, r"sequel\w*", r"fibro\w*", r"\bscar\w*|cicatri\w+", r"\bbands?\b(?!.{0,10}atelec)", sure=True
            ),
        ),
    ),
    Rule(
        "Pleural effusion",
        "Fluid in the pleura, however little.",
        (
            _pattern(
                "pleura, lungs, left hemithorax, right hemithorax, =chest",
                r"effusions?\b|pleural fluid|hydrothorax|empyema",
                unless=(r"^(?!.*pleural).*pericard",),
            ),
        ),
    ),
    Rule(
        "Mosaic attenuation pattern",
        "A pattern called mosaic.",
        (_pattern(LUNG, r"mosaic"),),
    ),
    Rule(
        "Peribronchial thickening",
        "Thickening around the bronchi. A thick bronchial wall that is not called peribronchial does not count.",
        (
            _pattern(
                LUNG,
                rf"peri-?bronch\w*[^.;]*{_THICK}|{_THICK}[^.;]*peri-?bronch\w*",
                r"bronch\w*[^.;]*(?:cuff|sheath)\w*",
                unless=(r"\bno (?:\w+ )?increase",),
            ),
        ),
    ),
    Rule(
        "Consolidation",
        "What is called consolidation; infiltration or pneumonia does not count without that word.",
        (_pattern(LUNG, r"consolid\w+"),),
    ),
    Rule(
        "Bronchiectasis",
        "Bronchiectasis of any kind, by traction too.",
        (_pattern(LUNG, r"bronchi?.?ecta\w+"),),
    ),
    Rule(
        "Interlobular septal thickening",
        "Septa between lobules that are thick or prominent. Crazy paving or a reticular pattern alone does not count.",
        (
            _pattern(
                LUNG, rf"sept\w*[^.;]*(?:{_THICK}|promin\w+)", rf"(?:{_THICK}|promin\w+)[^.;]*(?:interlob|\bsept)\w*"
            ),
        ),
    ),
)
