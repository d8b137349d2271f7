"""Trained models at work: what a run writes, chooses and continues."""
