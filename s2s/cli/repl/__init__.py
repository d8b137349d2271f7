"""Conversations at a terminal: one file a verb, what they share, and the line editor."""
