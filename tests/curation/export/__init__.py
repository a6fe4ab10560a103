"""Tests of caption sets in the forms of other programs."""
