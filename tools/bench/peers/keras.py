"""Keras 3 on torch, for classification and characters: https://keras.io"""

from tools.bench.peers.peer import Peer


class Keras(Peer, kind="keras"):
    """Its layers and its train_on_batch; nothing had to be changed."""

    name = "Keras 3.15.1"
    installs = (("keras==3.15.1",),)
    program = "run_keras.py"
    environment = (("KERAS_BACKEND", "torch"),)
