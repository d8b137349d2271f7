"""The run folder: weights, state, log, lock."""
