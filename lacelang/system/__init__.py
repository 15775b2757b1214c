"""What the process and the machine are: threads, signals, torch's state, names of files."""
