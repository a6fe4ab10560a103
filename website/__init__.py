"""The documentation as a site: pages from docs/, references made from the code, built by Sphinx."""
