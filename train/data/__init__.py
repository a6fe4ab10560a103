"""Data sets on disk and what training samples from them: layouts, prepared volumes, crops and captions."""
