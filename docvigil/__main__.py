"""`python -m docvigil` is the `docvigil` command."""

from docvigil.cli import main

main()
