"""Training a style's own network."""

STATE_FILE = "training.npz"  # in the folder of a training: all that it needs in order to go on
