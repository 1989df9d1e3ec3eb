"""Words: values, facts, wishes, errors, reasons, ports. Imports nothing of ours."""
