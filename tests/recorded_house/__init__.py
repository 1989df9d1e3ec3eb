"""The house run on recorded months: cases, an audit from the raw files, a page of results."""
