"""Heads: what a model says of an encoding: a sequence, a class, a tag a position."""
