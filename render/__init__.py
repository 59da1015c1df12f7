"""Scene to plan to picture to dataset. Only render.cycles imports bpy; nothing imports torch."""
