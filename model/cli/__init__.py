"""One file for each command of `python -m model`, which says what it takes and runs it. None loads TensorFlow before
it must."""
