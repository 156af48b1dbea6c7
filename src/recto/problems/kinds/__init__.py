"""The kinds of problems, one file a group."""
