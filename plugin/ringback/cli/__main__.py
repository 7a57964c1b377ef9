"""`python -m ringback.cli` is the `ringback` command."""

from ringback.cli import main

main()
