"""Experiments: methods compared on the same pictures, from the datasets to a report.

Each folder here is an experiment: `settings.py` with its `Settings`, `experiment.py` with its
`EXPERIMENT`, and YAML files. What is beside the folders runs any of them and knows none.
"""
