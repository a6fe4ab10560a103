"""The prompts that engines and judges are given, and the vocabulary of anatomy."""
