"""The one training loop of all stages: engine, task protocol, optimisation, checkpoints and logs."""
