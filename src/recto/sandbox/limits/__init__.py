"""What a command may use at most, kept by the kernel where it lets us and by a watcher where it does not."""
