"""The generated world: short clips of coloured shapes with complete ground truth, and the models trained on it."""
