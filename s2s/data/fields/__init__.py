"""Fields: one side of an example, between values and tensors."""
