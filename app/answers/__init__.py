"""What an answer gets on its way out: its names, its counting, its start."""
