"""What was examined: body part and modality of a report, from columns, titles and headings."""
