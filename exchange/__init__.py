"""A dataset on disk, in formats that other tools and people read: COCO, LabelMe, a gallery.

Datasets are read as training reads them, so that what is exported is what is trained on. Imports
numpy and OpenCV, never torch or bpy.
"""
