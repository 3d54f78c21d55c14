"""What is copied to the machines and runs there; never imports the rest of the program."""
