"""What lies on a good surface: water stains, fingerprints, stickers. Never imports bpy or torch."""
