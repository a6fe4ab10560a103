"""What the text encoder learns of the anatomy vocabulary: word lists, samples, and a score on held-out words."""
