"""What a run will cost, before it is run: memory and arithmetic counted, hours and devices estimated."""
