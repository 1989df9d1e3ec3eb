"""Store: journal, tape and run files."""
