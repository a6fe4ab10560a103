"""What headings, labels and titles say about the statements below them: the organ, the level, the side, the region."""
