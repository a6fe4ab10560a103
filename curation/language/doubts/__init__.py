"""What is told with doubt by its form rather than by a word: in brackets, before a question mark, or as a plan."""
