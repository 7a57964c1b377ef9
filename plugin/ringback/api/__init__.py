"""What programs may ask of Ringback over HTTP: texts to send, and what became of them."""
