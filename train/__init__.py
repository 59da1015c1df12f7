"""Picture to verdict: data, features, coreset, anomaly map, metrics, report. Never imports bpy."""
