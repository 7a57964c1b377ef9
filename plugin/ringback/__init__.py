"""Ringback: a call that cannot be answered goes on by text."""

__version__ = "0.1.0"
