"""How a connector reads words that it was not trained on, by their embeddings alone (models/known_words.py).

    python -m benchmarks.training.bench_readings ENCODER [ENCODER ...]

An ENCODER is what `ovct train words` leaves behind, or any that it takes. Asked are, for TotalSegmentator's 117 classes
with a third of the synonyms and all groups held out: the held-out synonyms, the names of the groups, other names of the
vocabulary's organs that are no class, and words that mean nothing. A prompt is read as one word, as several structures
together, as absent, or as nothing of these (then its own embedding is asked). Right are the structure that it names,
and exactly the members of a group.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from models.checkpoint import open_text
from models.connectors import build_connector
from models.known_words import KnownWords
from models.text import TextEncoder
from prompts.vocabulary import load_vocabulary
from train.config.prompting import ALL_GROUPS_HELD_OUT
from train.data.layout_totalsegmentator import V2_STRUCTURES
from train.data.structure_prompts import StructurePrompts, build_structure_prompts
from train.inference.engines.asked_texts import names_by_meaning
from train.prompting.absent_words import other_organs
from train.prompting.known_words import know_words
from train.prompting.nonsense_words import ASKED_NONSENSE, TRAINED_NONSENSE

READINGS = ("right word", "another word", "right members", "other members", "absent", "itself")
# Other names of each organ that training does not have, at most.
MOST_NAMES = 4

Meaning = frozenset[str]


@dataclass(frozen=True)
class KnownStructures:
    """What a connector knows that was trained on TotalSegmentator's classes, with the encoder that it was made with."""

    encoder: TextEncoder
    known: KnownWords
    structure_of: Mapping[int, str]
    """The structure that words of a meaning name."""

    @classmethod
    def of(cls, encoder: TextEncoder, prompts: StructurePrompts, others: Sequence[str]) -> KnownStructures:
        """Let a connector with an encoder know the trained prompts, and other organs."""
        texts = [*sorted({*prompts.trained_prompts, *others, *TRAINED_NONSENSE})]
        embeddings = dict(zip(texts, encoder.encode(texts), strict=True))
        connector = build_connector("mlp", encoder.embedding_dim, (4, 6), 8, hidden=16)
        know_words(connector, prompts, embeddings, others)
        assert connector.known is not None
        names = {name: structure for structure, name in prompts.names.items()}
        vectors = torch.stack([embeddings[name] for name in names])
        of_meanings = names_by_meaning(list(names), vectors, connector.known)
        structure_of = {meaning: names[name] for meaning, name in of_meanings.items()}
        return cls(encoder, connector.known, structure_of)

    @torch.no_grad()
    def count(self, asked: Mapping[str, Meaning]) -> Counter[str]:
        """Return how many texts, each with the structures that it means, are read as what."""
        embeddings = self.encoder.encode(list(asked))
        known = (self.known.limit(embeddings) >= 0).tolist()
        counts: Counter[str] = Counter()
        for meaning, meanings, is_known in zip(asked.values(), self.known.read_as(embeddings), known, strict=True):
            read = {self.structure_of[number] for number in meanings.int().tolist()}
            if not len(meanings):
                reading = "itself" if is_known else "absent"
            elif len(meanings) > 1:
                reading = "right members" if read == meaning else "other members"
            else:
                reading = "right word" if read == meaning else "another word"
            counts[reading] += 1
        return counts


def main() -> None:
    """Print a table for each encoder, as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("encoders", nargs="+", help="a name on the hub, a directory, or a checkpoint")
    vocabulary = load_vocabulary()
    prompts = build_structure_prompts(V2_STRUCTURES, vocabulary, ALL_GROUPS_HELD_OUT)
    others = other_organs(prompts.names.values(), vocabulary)
    asked: dict[str, dict[str, Meaning]] = {
        "held-out synonym": {text: frozenset({name}) for name, texts in prompts.held_out.items() for text in texts},
        "name of a group": {
            text: frozenset(group.members)
            for group in prompts.held_out_groups
            for text in prompts.held_out_of_groups[group.name]
        },
        "other name of another organ": {
            text: frozenset() for organ in others for text in vocabulary.organs[organ].terms[1 : 1 + MOST_NAMES]
        },
        "word that means nothing": {text: frozenset() for text in ASKED_NONSENSE},
    }
    for name in parser.parse_args().encoders:
        known = KnownStructures.of(open_text(name).encoder, prompts, others)
        print(f"\n{name}: {len(known.known.unions)} means of like-named structures\n")
        print("| asked | number |", " | ".join(READINGS), "|")
        print("| --- " * (len(READINGS) + 2) + "|")
        for title, texts in asked.items():
            counts = known.count(texts)
            print(f"| {title} | {len(texts)} |", " | ".join(str(counts[reading]) for reading in READINGS), "|")


if __name__ == "__main__":
    main()
