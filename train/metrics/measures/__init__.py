"""The metrics, one a module, found by their place; `train.metrics.metric` says what one is."""
