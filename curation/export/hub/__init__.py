"""A finished caption set in a repository of the Hugging Face hub, in one commit."""
