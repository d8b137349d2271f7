"""What a model is for: its fields, its loss and its metrics."""
