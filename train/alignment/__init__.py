"""Volumes beside their captions: a vector for each volume, kept on disk, and captions that say the opposite."""
