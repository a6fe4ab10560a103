"""Reading reports and captions from files: formats, columns, headings and sections."""
