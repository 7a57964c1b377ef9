"""What Asterisk tells us and what we ask of it; the codecs stand apart from the connections."""
