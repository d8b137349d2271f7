"""Metrics: scores of answers against references, with intervals, significance and reports."""
