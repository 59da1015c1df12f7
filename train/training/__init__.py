"""The one training loop, for every detector that learns by gradient; `settings` needs no torch."""
