"""Tokenizers: between texts and ids."""
