"""Folders of reports: which of their files are read, and their rows as one table."""
