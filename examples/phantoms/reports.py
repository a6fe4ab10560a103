"""Writing the report of a phantom's scan in one of four styles: what is in the field of view, and nothing else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from examples.phantoms.findings import Finding
from examples.phantoms.normal_phrases import NORMAL
from examples.phantoms.patient import Patient
from examples.phantoms.phrases import FINDINGS
from examples.phantoms.truth import ScanContent

# Impressions of a scan without findings, by manner.
NO_FINDING = {
    "translated": ("Examination within normal limits.", "No significant pathology was detected."),
    "full": ("No acute abnormality.", "Unremarkable examination."),
    "terse": ("Normal examination.", "No acute finding."),
}
# Style of a report -> manner of its sentences, see `phrases`.
STYLES = {"narrative": "translated", "dictation": "full", "telegram": "terse", "list": "full"}


@dataclass(frozen=True)
class Topic:
    """An organ as reports mention it: its heading in a list, and the structures that the field of view must contain.

    `often`: probability that it is mentioned where it is normal.
    """

    name: str
    heading: str
    structures: tuple[str, ...]
    often: float = 1.0


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
# Organs that one sentence may call normal together.
TOGETHER = {
    "gallbladder": "gallbladder",
    "spleen": "spleen",
    "pancreas": "pancreas",
    "stomach": "stomach",
    "urinary_bladder": "urinary bladder",
    "inferior_vena_cava": "inferior vena cava",
}
# A finding in these structures keeps a topic from being called normal.
BESIDE = {"thoracic spine": ("vertebrae_T12",)}
# The structures of these topics only show that the scan reaches far enough: findings in them belong to another topic.
PROXY_TOPICS = ("lymph nodes", "thoracic spine", "ribs")


@dataclass(frozen=True)
class PhantomReport:
    """The texts of CT-RATE's columns Findings_EN and Impressions_EN, and the style that they are written in."""

    style: str
    findings: str
    impression: str


def write_report(patient: Patient, scan: ScanContent) -> PhantomReport:
    """Write the report; its words are drawn from the patient's seed."""
    rng = np.random.default_rng([*patient.seed, 3])
    style = str(rng.choice(list(STYLES), p=[0.35, 0.25, 0.2, 0.2]))
    writer = ReportWriter(patient, scan, STYLES[style], rng)
    paragraphs = [(topic, sentences) for topic in TOPICS if (sentences := writer.topic(topic))]
    if style != "list" and rng.random() < 0.5:
        paragraphs = _merge_normal(paragraphs, writer)
    manner = "terse" if style == "dictation" else STYLES[style]
    return PhantomReport(
        style, _lay_out(style, paragraphs), _write_impression(ReportWriter(patient, scan, manner, rng), style)
    )


@dataclass(frozen=True, eq=False)
class ReportWriter:
    """Writes sentences about the content of a scan, in one manner."""

    patient: Patient
    scan: ScanContent
    manner: str
    rng: np.random.Generator

    def topic(self, topic: Topic) -> list[str]:
        """Return sentences: the findings of a topic, or that it is normal; none where too little is in view."""
        structures = () if topic.name in PROXY_TOPICS else topic.structures
        findings = [f for f in self.scan.findings if f.structure in structures]
        sentences = [self.finding(f) for f in findings]
        # A finding that is cut by the scan's end, or covered, is not mentioned; nor is its organ called normal.
        related = (*structures, *BESIDE.get(topic.name, ()))
        affected = {f.structure for f in self.patient.findings if f.structure in related}
        if findings and topic.name in ("kidneys", "lungs"):
            return sentences + self._healthy([s for s in structures if s in self.scan.structures - affected])
        if topic.name == "pleura" and len(findings) == 1 == len(
            [f for f in self.patient.findings if f.kind == findings[0].kind]
        ):
            return [*sentences, self._normal("other pleura", side="left" if findings[0].side == "right" else "right")]
        if findings or affected or not self._is_in_view(topic):
            return sentences
        # Telegrams, and reports of a short scan, leave nothing out.
        thorough = self.manner == "terse" or sum(map(self._is_in_view, TOPICS)) < 14
        return [self._normal(topic.name)] if thorough or self.rng.random() < topic.often else []

    def _is_in_view(self, topic: Topic) -> bool:
        """Whether the field of view contains all structures of a topic."""
        return all(name in self.scan.structures for name in topic.structures)

    def _healthy(self, structures: Sequence[str]) -> list[str]:
        """Return sentences that call the other lobes, or the other kidney, normal."""
        return [
            self._normal("lobe", lobe=lobe_name(name)) if name.startswith("lung_") else self._normal(name)
            for name in structures
            if name.startswith("kidney_") or self.rng.random() < 0.35
        ]

    def _normal(self, name: str, **words: str) -> str:
        return _fill_in(str(self.rng.choice(NORMAL[name][self.manner])), words)

    def finding(self, finding: Finding) -> str:
        """Return one sentence with the finding, its side and its size."""
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
            "lobe": lobe_name(finding.structure),
            "bone": finding.structure.removeprefix("vertebrae_"),
        }
        return _fill_in(str(self.rng.choice(templates)), words)


def _merge_normal(paragraphs: list[tuple[Topic, list[str]]], writer: ReportWriter) -> list[tuple[Topic, list[str]]]:
    """Put the normal organs of TOGETHER into one sentence, at the place of the first of them."""
    abnormal = {finding.structure for finding in writer.scan.findings}
    normal_topics = [
        topic for topic, _ in paragraphs if topic.name in TOGETHER and not abnormal & set(topic.structures)
    ]
    if len(normal_topics) < 2:
        return paragraphs
    *names, last = (TOGETHER[topic.name] for topic in normal_topics)
    adjective = writer.rng.choice(
        ("natural", "normal") if writer.manner == "translated" else ("unremarkable", "normal")
    )
    organs = f"{', '.join(names)} and {last}"
    sentence = f"{organs.capitalize()} {adjective}." if writer.manner == "terse" else f"The {organs} are {adjective}."
    merged = [(topic, [sentence] if topic is normal_topics[0] else sentences) for topic, sentences in paragraphs]
    return [(topic, sentences) for topic, sentences in merged if topic not in normal_topics[1:]]


def _fill_in(template: str, words: dict[str, str]) -> str:
    capitals = {name.capitalize(): word.capitalize() for name, word in words.items()}
    return re.sub(r"\b([Aa])(?= (?:8|11|18)\b)", r"\1n", template.format(**words, **capitals))


def lobe_name(structure: str) -> str:
    """Return the name of a lobe: `lung_lower_lobe_left` -> `left lower lobe`; of other structures the label itself."""
    if not structure.startswith("lung_"):
        return structure
    _, level, _, side = structure.split("_")
    return f"{side} {level} lobe"


def _lay_out(style: str, paragraphs: Sequence[tuple[Topic, list[str]]]) -> str:
    if style == "list":
        return "\n".join(f"{topic.heading}: {' '.join(sentences)}" for topic, sentences in paragraphs)
    sentences = [sentence for _, topic_sentences in paragraphs for sentence in topic_sentences]
    if style == "dictation":
        return "\n".join(" ".join(sentences[start : start + 4]) for start in range(0, len(sentences), 4))
    return " ".join(sentences)


def _write_impression(writer: ReportWriter, style: str) -> str:
    if not writer.scan.findings:
        return str(writer.rng.choice(NO_FINDING[writer.manner]))
    sentences = [writer.finding(finding) for finding in writer.scan.findings]
    if style == "dictation":
        return "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, start=1))
    return " ".join(sentences)
