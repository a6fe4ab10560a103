"""What the parts of a statement share with each other, and what belongs to which of them."""
