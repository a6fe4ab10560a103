"""Proposes words for a site's own files from the captions that were refused: ``ovct lexicon suggest``.

``refused_captions.py`` reads them from a caption set, ``candidates.py`` pairs what a caption has and its evidence
lacks with what the caption lacks, ``trials.py`` verifies the captions again with each pair, and ``proposal_files.py``
writes the pairs that save some, commented out.
"""
