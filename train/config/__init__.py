"""Settings of the three training stages: their groups, how they are read, and what they were called before."""
