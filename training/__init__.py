"""How the shipped weights were made, one command each. Keras only, so that any of its backends can train them."""
