"""The forms in which problems are told: lines for a terminal, one JSON object, a log for a host's log panel.

Each stands in a module of its own, so that a command imports the one that it writes.
"""
