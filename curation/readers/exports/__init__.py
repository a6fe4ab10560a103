"""Readers of what hospital systems export: messages, resources and documents, one row for each report."""
