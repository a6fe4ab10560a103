"""What a denial, or a praise, covers: what narrows it, what is excepted from it, and captions that widen it."""
