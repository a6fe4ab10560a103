"""Torso phantoms: CT-like volumes, exact label maps, a report for each. See `python -m examples.phantoms --help`."""
