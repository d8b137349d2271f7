"""What is written in C because torch takes many calls for it, with torch's own way wherever it cannot be compiled.

build.py   compiles kernels.c once for this machine, and opens it
scores.py  log_softmax(), top(), likeliest()      the best of many scores
linear.py  Linear, LSTM                           products with weights of 8 or 32 bits
"""
