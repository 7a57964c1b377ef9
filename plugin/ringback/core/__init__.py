"""Decisions only: values in, values out, no clock, socket, database or log."""
