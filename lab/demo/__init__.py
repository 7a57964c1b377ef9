"""The demo: real calls to a real Asterisk, and what Ringback makes of them. `make demo` runs it."""
