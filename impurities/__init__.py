"""What lies on a good surface: water stains first. Numpy only; never imports bpy or torch."""
