"""Running a text engine and the verifier over reports, one outcome for each distinct text."""
