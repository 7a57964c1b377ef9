"""Measures Ringback beside what people write themselves; see README.md."""
