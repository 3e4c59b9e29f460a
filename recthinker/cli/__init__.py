"""The `recthinker` command: one file a command, wired together in `app`."""
