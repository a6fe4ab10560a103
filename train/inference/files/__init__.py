"""The files that a segmentation becomes, a module for each kind, and the colours and names that viewers show."""
