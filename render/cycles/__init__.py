"""The one place that knows Blender: plate, lights, camera, material and render settings."""
