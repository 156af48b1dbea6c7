"""What is publicly known to be malicious or vulnerable: the operator's OSV records, and questions to them."""
