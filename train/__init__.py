"""Training on volumes and caption sets, inference on volumes, and the metrics. Imports from every folder."""
