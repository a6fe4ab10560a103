"""The prompts of a training step of stage 3: what they say, what they mean, and what is known of their masks."""
