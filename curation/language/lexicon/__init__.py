"""The lexicon of report language: which phrases mean the same, and which of them change what a statement claims."""
