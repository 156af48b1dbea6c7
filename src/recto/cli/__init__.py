"""The command line: argv to call, result to words and exit code."""
