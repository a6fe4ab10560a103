"""A page in the browser of this machine alone: what the review of captions and the viewer of scans share."""
