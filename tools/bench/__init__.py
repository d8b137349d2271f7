"""How fast s2s is, beside plain torch and its peers on the same work: `python -m tools.bench --help`."""
