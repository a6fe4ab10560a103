"""Hallucination review: how often does a caption set say what its reports do not?"""
