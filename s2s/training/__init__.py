"""The loop and all it needs: optimizers, schedules, averaging, validation, reporters."""
