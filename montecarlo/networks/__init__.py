"""What a network is: its specification and its activation."""
