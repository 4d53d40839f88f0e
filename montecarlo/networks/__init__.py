"""What a network is: its specification, its activation, and the words of its layers."""
