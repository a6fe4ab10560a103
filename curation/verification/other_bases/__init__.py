"""Captions that rest on something else than the verifier's reading of the report alone (``basis``).

``quoted_captions.py``: on a passage in another language, which they quote (``quote``). ``equal_words.py``: on a
language model's word that words of the caption and of the report mean the same (``model``).
"""
