"""Reading MetaImage and NRRD files: their headers, the files of their voxels, and what is packed in them."""
