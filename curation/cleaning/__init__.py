"""One clean text for every reader of a report, whatever the export, with the way back to the text as it was given."""
