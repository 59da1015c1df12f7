"""Sequential PatchCore: an anomaly detector that learns in fixed memory, melds and finetunes.

Source: Mao, Fulir, Garth, Gospodnetić, "Sequential PatchCore: Anomaly Detection for Surface
Inspection using Synthetic Impurities", arXiv 2501.09579, section IV.
"""
