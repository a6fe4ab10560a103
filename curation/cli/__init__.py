"""The commands that work on reports and captions: curate, merge, verify, stats, prompts and audit."""
