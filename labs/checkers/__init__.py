"""How the exercises are marked."""
