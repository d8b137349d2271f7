"""Encoders: whatever the source is, one vector a position and how it ended."""
