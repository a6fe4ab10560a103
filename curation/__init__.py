"""Reports in, captions out, each one held against its report."""
