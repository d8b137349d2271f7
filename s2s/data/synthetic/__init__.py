"""The corpora of the demos, made by grammars and pens of our own: nothing is downloaded."""
