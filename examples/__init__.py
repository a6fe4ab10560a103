"""Small inputs of our own, and a world of phantoms that is small enough to train in."""
