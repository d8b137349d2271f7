"""Other toolkits at the same work. Each runs in an environment of its own, which is made the first time.

adapters      what to install, what to change so that it runs, and its configuration      keras.py opennmt.py ...
inside/       programs that the peer's own Python runs: they import the peer, torch, and nothing of ours
"""
