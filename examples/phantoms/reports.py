"""A report of a phantom's scan, in one of four styles of writing: what is in the field of view, and nothing else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from examples.phantoms.findings import Finding
from examples.phantoms.normal_phrases import NORMAL
from examples.phantoms.patient import Patient
from examples.phantoms.phrases import FINDINGS
from examples.phantoms.truth import Shown

NOTHING = {
    "translated": ("Examination within normal limits.", "No significant pathology was detected."),
    "full": ("No acute abnormality.", "Unremarkable examination."),
    "terse": ("Normal examination.", "No acute finding."),
}
STYLES = {"narrative": "translated", "dictation": "full", "telegram": "terse", "list": "full"}


@dataclass(frozen=True)
class Topic:
    """One organ as reports speak of it: its heading in a list, and the structures that the field of view must hold."""

    name: str
    heading: str
    structures: tuple[str, ...]
    often: float = 1.0  # how often it is said where it is normal


LUNGS = (
    "lung_upper_lobe_right",
    "lung_middle_lobe_right",
    "lung_lower_lobe_right",
    "lung_upper_lobe_left",
    "lung_lower_lobe_left",
)
KIDNEYS = ("kidney_right", "kidney_left")
LUMBAR = ("vertebrae_T12", "vertebrae_L1", "vertebrae_L2", "vertebrae_L3", "vertebrae_L4", "vertebrae_L5")
TOPICS = (
    Topic("trachea", "AIRWAYS", ("trachea",), 0.55),
    Topic("lungs", "LUNGS", LUNGS),
    Topic("pleura", "PLEURA", ("pleura",)),
    Topic("heart", "HEART", ("heart",)),
    Topic("pericardium", "PERICARDIUM", ("pericardium",), 0.5),
    Topic("esophagus", "ESOPHAGUS", ("esophagus",), 0.5),
    Topic("liver", "LIVER", ("liver",)),
    Topic("gallbladder", "GALLBLADDER", ("gallbladder",)),
    Topic("spleen", "SPLEEN", ("spleen",)),
    Topic("pancreas", "PANCREAS", ("pancreas",)),
    Topic("kidneys", "KIDNEYS", KIDNEYS),
    Topic("stomach", "STOMACH", ("stomach",), 0.55),
    Topic("urinary_bladder", "BLADDER", ("urinary_bladder",)),
    Topic("aorta", "AORTA", ("aorta",), 0.75),
    Topic("inferior_vena_cava", "INFERIOR VENA CAVA", ("inferior_vena_cava",), 0.45),
    Topic("peritoneum", "PERITONEUM", ("peritoneum",), 0.55),
    Topic("lymph nodes", "LYMPH NODES", ("liver",), 0.25),
    Topic("lumbar spine", "SPINE", LUMBAR),
    Topic("thoracic spine", "THORACIC SPINE", ("lung_upper_lobe_right", "pleura"), 0.3),
    Topic("ribs", "RIBS", ("lung_upper_lobe_right", "pleura"), 0.25),
    Topic("pelvic bones", "PELVIS", ("sacrum", "hip_left", "hip_right"), 0.45),
    Topic("iliopsoas", "PSOAS MUSCLES", ("iliopsoas_left", "iliopsoas_right"), 0.4),
    Topic("autochthon", "PARASPINAL MUSCLES", ("autochthon_left", "autochthon_right"), 0.3),
)
# Their structures only show that the scan reaches far enough: what is found in these belongs to another topic.
# Organs that a sentence may call normal together.
TOGETHER = {
    "gallbladder": "gallbladder",
    "spleen": "spleen",
    "pancreas": "pancreas",
    "stomach": "stomach",
    "urinary_bladder": "urinary bladder",
    "inferior_vena_cava": "inferior vena cava",
}
BESIDE = {"thoracic spine": ("vertebrae_T12",)}  # a finding here keeps a topic from being called normal
SIGNS = ("lymph nodes", "thoracic spine", "ribs")


@dataclass(frozen=True)
class Report:
    """What goes into CT-RATE's columns Findings_EN and Impressions_EN, and the style that it is written in."""

    style: str
    findings: str
    impression: str


def write_report(patient: Patient, scan: Shown) -> Report:
    """The report; its words are drawn from the patient's seed."""
    rng = np.random.default_rng([*patient.seed, 3])
    style = str(rng.choice(list(STYLES), p=[0.35, 0.25, 0.2, 0.2]))
    writer = Writer(patient, scan, STYLES[style], rng)
    said = [(topic, sentences) for topic in TOPICS if (sentences := writer.topic(topic))]
    if style != "list" and rng.random() < 0.5:
        said = _together(said, writer)
    manner = "terse" if style == "dictation" else STYLES[style]
    return Report(style, _laid_out(style, said), _impression(Writer(patient, scan, manner, rng), style))


@dataclass(frozen=True, eq=False)
class Writer:
    """Puts into words what a scan shows, in one manner of speaking."""

    patient: Patient
    scan: Shown
    manner: str
    rng: np.random.Generator

    def topic(self, topic: Topic) -> list[str]:
        """The findings of a topic, or that it is normal; nothing where the scan does not show all that this needs."""
        ours = () if topic.name in SIGNS else topic.structures
        found = [f for f in self.scan.findings if f.structure in ours]
        said = [self.finding(f) for f in found]
        # What the end of the scan cuts, or something else covers, is not told, and nothing is called normal beside it.
        touched = {f.structure for f in self.patient.findings if f.structure in (*ours, *BESIDE.get(topic.name, ()))}
        if found and topic.name in ("kidneys", "lungs"):
            return said + self._others([s for s in ours if s in self.scan.structures - touched])
        if topic.name == "pleura" and len(found) == 1 == len(
            [f for f in self.patient.findings if f.kind == found[0].kind]
        ):
            return [*said, self._normal("other pleura", side="left" if found[0].side == "right" else "right")]
        if found or touched or not self._holds(topic):
            return said
        # Telegrams, and reports of a short scan, leave nothing out.
        thorough = self.manner == "terse" or sum(map(self._holds, TOPICS)) < 14
        return [self._normal(topic.name)] if thorough or self.rng.random() < topic.often else []

    def _holds(self, topic: Topic) -> bool:
        """Whether the field of view holds all that a topic needs."""
        return all(name in self.scan.structures for name in topic.structures)

    def _others(self, structures: Sequence[str]) -> list[str]:
        """The healthy ones of several lobes or of two kidneys."""
        return [
            self._normal("lobe", lobe=lobe_words(name)) if name.startswith("lung_") else self._normal(name)
            for name in structures
            if name.startswith("kidney_") or self.rng.random() < 0.35
        ]

    def _normal(self, name: str, **words: str) -> str:
        return _filled(str(self.rng.choice(NORMAL[name][self.manner])), words)

    def finding(self, finding: Finding) -> str:
        """One sentence that says the finding, its side and its size."""
        kind = finding.kind
        if kind == "pleural_effusion":
            kind = "large_effusion" if finding.size_mm > 40 else "small_effusion"
        length = self.scan.length_mm.get(finding.structure, 0.0)
        templates = [t for t in FINDINGS[kind][self.manner] if length or "{length}" not in t]
        words = {
            "mm": f"{finding.size_mm:.0f}",
            "cm": f"{finding.size_mm / 10:.1f}",
            "length": f"{length:.0f}",
            "side": finding.side,
            "lobe": lobe_words(finding.structure),
            "bone": finding.structure.removeprefix("vertebrae_"),
        }
        return _filled(str(self.rng.choice(templates)), words)


def _together(said: list[tuple[Topic, list[str]]], writer: Writer) -> list[tuple[Topic, list[str]]]:
    """Several normal organs in one sentence, where the first of them stood."""
    ill = {finding.structure for finding in writer.scan.findings}
    plain = [topic for topic, _ in said if topic.name in TOGETHER and not ill & set(topic.structures)]
    if len(plain) < 2:
        return said
    *names, last = (TOGETHER[topic.name] for topic in plain)
    normal = writer.rng.choice(("natural", "normal") if writer.manner == "translated" else ("unremarkable", "normal"))
    list_of = f"{', '.join(names)} and {last}"
    sentence = f"{list_of.capitalize()} {normal}." if writer.manner == "terse" else f"The {list_of} are {normal}."
    merged = [(topic, [sentence] if topic is plain[0] else sentences) for topic, sentences in said]
    return [(topic, sentences) for topic, sentences in merged if topic not in plain[1:]]


def _filled(template: str, words: dict[str, str]) -> str:
    capitals = {name.capitalize(): word.capitalize() for name, word in words.items()}
    return re.sub(r"\b([Aa])(?= (?:8|11|18)\b)", r"\1n", template.format(**words, **capitals))


def lobe_words(structure: str) -> str:
    """`lung_lower_lobe_left` -> `left lower lobe`; other structures as they are."""
    if not structure.startswith("lung_"):
        return structure
    _, level, _, side = structure.split("_")
    return f"{side} {level} lobe"


def _laid_out(style: str, said: Sequence[tuple[Topic, list[str]]]) -> str:
    if style == "list":
        return "\n".join(f"{topic.heading}: {' '.join(sentences)}" for topic, sentences in said)
    sentences = [sentence for _, topic_sentences in said for sentence in topic_sentences]
    if style == "dictation":
        return "\n".join(" ".join(sentences[start : start + 4]) for start in range(0, len(sentences), 4))
    return " ".join(sentences)


def _impression(writer: Writer, style: str) -> str:
    if not writer.scan.findings:
        return str(writer.rng.choice(NOTHING[writer.manner]))
    said = [writer.finding(finding) for finding in writer.scan.findings]
    if style == "dictation":
        return "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(said, start=1))
    return " ".join(said)
