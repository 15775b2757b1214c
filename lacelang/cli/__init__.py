"""Command lines in; exit codes, results on standard output, messages on standard error, out."""
