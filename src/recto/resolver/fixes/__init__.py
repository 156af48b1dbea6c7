"""Fixes: the edits that mend a declaration which does not resolve, each proven by a resolution before it is offered."""
