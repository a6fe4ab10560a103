"""Hallucination review: measures how often the captions of a set say what their reports do not."""
