"""How much of nominal pictures lies within reach of a model's members."""
