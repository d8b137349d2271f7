"""The parts a model is made of: cells, encoders, attentions, bridges, decoders."""
