"""Models, data sets, and pairs of images and captions in the form of other programs."""
