"""Contrastive and segmentation losses as pure functions, gathered across processes."""
