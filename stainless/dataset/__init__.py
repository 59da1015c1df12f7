"""Reading of datasets for training and evaluation; decoded with OpenCV, described by names.

    samples = read_category("datasets/demo", "stained", "test")
    image = load_image(samples[0].image)    # (H, W, 3) uint8 RGB
    mask = load_mask(samples[0])            # (H, W) bool, empty when good

Reading a category looks at names only; what is wrong inside a file shows when it is loaded, as
one line that names it (`stainless.errors.InputError`).
"""

from stainless.dataset.category import SPLITS, has_validation, list_categories, read_category
from stainless.dataset.groups import Split, split_validation
from stainless.dataset.images import image_size, load_image
from stainless.dataset.labelme import class_map
from stainless.dataset.sample import (
    GOOD,
    AnnotationClass,
    ArraySample,
    Sample,
    as_picture,
    list_images,
)
from stainless.dataset.truth import (
    Annotation,
    load_annotation,
    load_ignore,
    load_mask,
    mask_annotation,
    read_classes,
)

__all__ = [
    "GOOD",
    "SPLITS",
    "Annotation",
    "AnnotationClass",
    "ArraySample",
    "Sample",
    "Split",
    "as_picture",
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
