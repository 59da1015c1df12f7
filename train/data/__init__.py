"""Reading of datasets for training and evaluation; decoded with OpenCV, described by names.

    samples = read_category("datasets/demo", "stained", "test")
    image = load_image(samples[0].image)    # (H, W, 3) uint8 RGB
    mask = load_mask(samples[0])            # (H, W) bool, empty when good

Reading a category looks at names only; what is wrong inside a file shows when it is loaded, as
one line that names it (`stainless.errors.InputError`).
"""

from train.data.category import PARTS, has_validation, list_categories, read_category
from train.data.groups import Split, split_validation
from train.data.images import image_size, load_image
from train.data.labelme import class_map
from train.data.sample import GOOD, AnnotationClass, Sample, list_images
from train.data.truth import (
    Annotation,
    load_annotation,
    load_ignore,
    load_mask,
    mask_annotation,
    read_classes,
)

__all__ = [
    "GOOD",
    "PARTS",
    "Annotation",
    "AnnotationClass",
    "Sample",
    "Split",
    "class_map",
    "has_validation",
    "image_size",
    "list_categories",
    "list_images",
    "load_annotation",
    "load_ignore",
    "load_image",
    "load_mask",
    "mask_annotation",
    "read_category",
    "read_classes",
    "split_validation",
]
