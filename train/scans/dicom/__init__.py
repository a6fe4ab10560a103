"""Reading a CT from DICOM files: which of them make up a volume, in which order, and their pixels in HU."""
