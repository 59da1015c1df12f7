"""The tracer: the one place that knows Blender, and no part."""
