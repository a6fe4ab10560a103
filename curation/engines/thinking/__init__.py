"""Models that think before they answer: where their answers stand, and what is said where there are none."""
