"""One file a measurement; each has measure(setting), which gives its tables as soon as they are there."""
