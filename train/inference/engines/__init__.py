"""What makes masks of prompts: a text-driven checkpoint, a network with an output for each class, TotalSegmentator."""
