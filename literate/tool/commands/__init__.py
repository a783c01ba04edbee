"""The tangler's commands, a module each: its first line is the help, `main` runs it."""
