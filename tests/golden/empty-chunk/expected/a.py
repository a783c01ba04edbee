# Do nothing
