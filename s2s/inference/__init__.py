"""The fast path: a trained model, as fast as this machine can write, behind one function.

    from s2s.inference.compile import compile_for_inference

compile.py   compile_for_inference(model, precision) -> InferenceModel: encode(), step(), and which way they go
step.py      one position of a recurrence, with all worked out that does not depend on what is written
encoder.py   an encoder that reads with weights of 8 bits
linear.py    products with weights that stay as they are, in 32 or 8 bits
native/      what of it is written in C
fork.py      lets a process that has computed be forked

Models know nothing of it; it knows the models.
"""
