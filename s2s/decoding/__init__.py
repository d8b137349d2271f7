"""Writing without a teacher: searches, and filters on what they may write."""

from s2s.decoding.filters import Filter
from s2s.decoding.search import Hypothesis, Search

__all__ = ["Filter", "Hypothesis", "Search"]
