"""Zero-shot findings of an aligned checkpoint: pairs of prompts, held against volumes and scored by labels."""
