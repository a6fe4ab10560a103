"""What a wording that is cut from a statement has to keep: its change, its two sides."""
