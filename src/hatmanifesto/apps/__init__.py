"""Applications: wire the machines to the shell."""
