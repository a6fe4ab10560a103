"""What each of the 18 CT-RATE labels means, as a rule over captions (organ and words).

The human annotators left no guideline. What they meant was read off the reports of the even half: which finding comes
with the label and which does not. A label has one or more ways in which a caption may carry it; each names the organs
under which such captions are filed and the words that affirm the label there. ``why`` says it for the reader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CORONARIES = "coronary arteries"
LUNG = "lungs, airways, pleura, vessels, -lymph nodes, -trachea, -heart"


@dataclass(frozen=True, slots=True)
class Way:
    """How a caption carries a label.

    ``organs`` (with all that is part of them; ``-`` takes out again; empty: any organ) are where it is filed, ``terms``
    the words of which one must not be denied, ``unless`` the words that make the caption something else. With ``sure``
    a mere suspicion does not count.
    """

    organs: str
    terms: re.Pattern[str]
    unless: re.Pattern[str] | None
    sure: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A label, what it means in words, and the ways in which a caption may carry it."""

    label: str
    why: str
    ways: tuple[Way, ...]


def _way(organs: str, terms: str, unless: str = "", *, sure: bool = False) -> Way:
    return Way(
        organs,
        re.compile(terms, re.IGNORECASE | re.VERBOSE),
        re.compile(unless, re.IGNORECASE | re.VERBOSE) if unless else None,
        sure,
    )


GONE = re.compile(
    r"(?<!almost\ )(?<!nearly\ )(?:complete|full|total)\w*\ (?:regress|resol|resorb|disappear)\w* | disappeared | (?:was|were|been)\ removed"
    r" | (?:cannot|could\ not)\ be\ (?:evaluated|assessed)",
    re.IGNORECASE | re.VERBOSE,
)
"""Words by which a caption says that its finding is no longer there, or could not be looked for."""

_DEVICE = r"""
    catheter | pacemaker | \bpace\b | \bICD\b | electrode | \bstents?\b | prosthe | implants?\b | \bclips?\b | sutur
    | sternotomy | \bport\b | \btubes?\b | cannula | \bdrains?\b | \bscrews?\b | \bwires?\b | \bvalve\ replacement
    | metall?ic | fixat | \bcoils?\b | \bmesh\b | \bPEG\b | surgical\ material | vertebroplasty | tracheostomy
"""
_CALCIFIED = r"calcif\w* | calcific | athero\w* | plaques?\b"

RULES = (
    Rule(
        "Medical material",
        "A device or foreign material that is seen: catheter, tube, stent, pacemaker, suture, clip, fixation, implant. "
        "That something was operated on or resected does not count; nor does a peritoneal (tumour) implant.",
        (
            _way("devices, -foreign body", r"\w"),
            _way("-peritoneum, -omentum, -abdominal wall, -soft tissues", _DEVICE),
        ),
    ),
    Rule(
        "Arterial wall calcification",
        "Atheroma or calcified wall of the aorta or of any artery but a coronary one.",
        (_way("vessels, mediastinum, heart, -coronary arteries, -=arteries, -lymph nodes, -heart valves",
              _CALCIFIED, r"\blymph | nodul | valv | annul"),),
    ),
    Rule(
        "Cardiomegaly",
        "The heart as a whole is called large; a wide atrium or ventricle alone does not count.",
        (_way("heart, -cardiac chambers, -coronary arteries, -pericardium, -heart valves",
              r"cardiomegal\w+ | enlarge\w* | increas\w+ | larger | bigger | dilat\w+ | above | hypertroph\w+ | upper\ limit",
              r"aort | effusion | thicken | calcif"),),
    ),
    Rule(
        "Pericardial effusion",
        "Fluid in the pericardium, however little.",
        (_way("pericardium", r"effusion | fluid"),),
    ),
    Rule(
        "Coronary artery wall calcification",
        "Atheroma, calcification or a stent of a coronary artery or a branch of it.",
        (
            _way(CORONARIES, rf"{_CALCIFIED} | \bstents?\b"),
            _way("vessels, heart, mediastinum",
                 rf"(?:coronar\w+|\bLAD\b)[^.;]*(?:{_CALCIFIED}) | (?:{_CALCIFIED})[^.;]*(?:coronar|\bLAD\b)"),
        ),
    ),
    Rule(
        "Hiatal hernia",
        "A hernia at the oesophageal hiatus, sliding or not.",
        (_way("", r"hiat\w+\ hernia\w* | hernia\w*[^.;]*hiat\w+ | sliding\ (?:type\ )?hernia"),),
    ),
    Rule(
        "Lymphadenopathy",
        "Any lymph node that is seen, of whatever size: most positive reports speak of nodes of a few millimetres "
        "\"that do not reach pathological dimensions\". Only the denial of enlarged nodes is negative.",
        (_way("lymph nodes, -abdominal lymph nodes, mediastinum", r"lymph\ nodes?(?!\ stations?) | lymphadenopath\w+ | \bLAPs?\b"),),
    ),
    Rule(
        "Emphysema",
        "Emphysema, bullae or blebs.",
        (_way(LUNG, r"emphysem\w+ | bulla\w* | bullous | \bblebs?\b"),),
    ),
    Rule(
        "Atelectasis",
        "Atelectasis of any kind, band, linear or passive, but not fibroatelectasis, which is a sequela.",
        (_way(LUNG, r"(?<!fibro)(?<!fibro.)\batelec\w+"),),
    ),
    Rule(
        "Lung nodule",
        "A nodule, or a lesion called nodular. Nodular ground glass, consolidation or density is not one.",
        (_way(LUNG, r"nodules?\b | nodular\ lesions?", r"thyroid | \bpleural\ nodul", sure=True),),
    ),
    Rule(
        "Lung opacity",
        "Ground glass, opacity, or an increase in density that is not called sequela. Consolidation alone has a label "
        "of its own and is not an opacity.",
        (
            _way(LUNG, r"ground.?glass\w* | frosted.?glass | \bopaci\w+"),
            _way("lungs", r"densit\w+\ (?:increas|increment)\w* | (?:increas|increment)\w*\ (?:in|of)[^.;,]*densit\w+"
                 r"| (?:dependent|soft\ tissue)[^.;,]*densit\w+",
                 r"sequel | fibro | cicatri | scar | linear | consolid | low.density | pleuro?.?.?.parenchymal"),
        ),
    ),
    Rule(
        "Pulmonary fibrotic sequela",
        "Sequelae, fibrosis, scars and fibrotic bands, with fibroatelectasis; band atelectasis is atelectasis.",
        (_way(LUNG, r"sequel\w* | fibro\w+ | \bscar\w* | cicatri\w+ | \bbands?\b(?!.{0,10}atelec)", sure=True),),
    ),
    Rule(
        "Pleural effusion",
        "Fluid in the pleura, however little.",
        (_way("pleura, lungs, left hemithorax, right hemithorax, =chest", r"effusions?\b | pleural\ fluid | hydrothorax | empyema",
              r"^(?!.*pleural).*pericard"),),
    ),
    Rule(
        "Mosaic attenuation pattern",
        "The word mosaic.",
        (_way(LUNG, r"mosaic"),),
    ),
    Rule(
        "Peribronchial thickening",
        "Thickening around the bronchi. A thick bronchial wall that is not called peribronchial does not count.",
        (_way(LUNG, r"peri-?bronch\w*[^.;]*thick\w+ | thick\w+[^.;]*peri-?bronch\w* | bronch\w*[^.;]*(?:cuff|sheath)\w*",
              r"\bno\ (?:\w+\ )?increase"),),
    ),
    Rule(
        "Consolidation",
        "The word consolidation; infiltration or pneumonia without it does not count.",
        (_way(LUNG, r"consolid\w+"),),
    ),
    Rule(
        "Bronchiectasis",
        "Bronchiectasis of any kind, traction bronchiectasis too.",
        (_way(LUNG, r"bronchi?\.?ecta\w+"),),
    ),
    Rule(
        "Interlobular septal thickening",
        "Thick or prominent septa between lobules. Crazy paving or a reticular pattern alone does not count.",
        (_way(LUNG, r"sept\w*[^.;]*(?:thick|promin)\w+ | (?:thick|promin)\w+[^.;]*(?:inter-?lobular|sept\w+)"),),
    ),
)  # fmt: skip
