"""How distances to a coreset become scores of patches and of a picture."""
