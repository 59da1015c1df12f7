"""Picture to verdict: features, detectors, anomaly maps, metrics, report. Never imports bpy."""
