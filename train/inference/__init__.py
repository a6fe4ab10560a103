"""From a scan and prompts to masks: windows, logits, label maps and output files; `segmenting` explains the chain."""
