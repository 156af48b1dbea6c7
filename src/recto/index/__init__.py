"""The index gateway: the one door to the packages, where the operator's rules about them are kept."""
