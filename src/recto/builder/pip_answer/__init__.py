"""Stands where pip would be: packages of a document come from its declaration, not from a cell."""
