"""What every floor stands on: messages for bad input, the compiler, files that are whole or not there."""
