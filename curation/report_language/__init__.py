"""The language of reports: which statements of a report are English, and which language the others are in."""
