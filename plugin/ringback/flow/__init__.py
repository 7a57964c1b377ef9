"""Load the facts, ask the core, store the answer."""
