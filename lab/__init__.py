"""The lab: a real Asterisk and real SIP callers, for the demo, the tests and the bench. Not part of the wheel."""
