"""Cases on the network's grid: prepared once, in parallel, and kept on disk."""
