"""The rules that fit thresholds, one a module; `train.verdicts.rule` says what one is."""
