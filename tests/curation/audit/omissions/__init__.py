"""Tests of what a caption set has missed."""
