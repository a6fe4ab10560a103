"""Text of documents: what a person reads on the page of an RTF, HTML, Word, CDA or DICOM SR file, as lines."""
