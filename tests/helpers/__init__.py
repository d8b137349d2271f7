"""What tests share: small models, runs that train in a moment, a table that stands in for a model."""
