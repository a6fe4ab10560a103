"""A page that shows a scan and its masks in a browser: `ovct view`."""
