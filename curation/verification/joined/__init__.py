"""Captions that draw on several statements of a report which speak of the same thing."""
