"""What a statement says of which organ, and how much of it was understood."""
