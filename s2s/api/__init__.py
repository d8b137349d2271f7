"""What commands and Python users call: prepare data, train, go on with a run, evaluate."""
