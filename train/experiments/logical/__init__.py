"""A survey of methods on structural and logical anomalies, after Saghir (2024), chapters 4, 5."""
