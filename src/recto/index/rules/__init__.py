"""The operator's rules about packages: one file each. To add one, copy a file and name it in `configuration`."""
