"""Reading of datasets for training and evaluation; decoded with OpenCV, described by names.

    samples = read_category("datasets/demo", "stained", "test")
    image = samples[0].load()       # (H, W, 3) uint8 RGB, upright
    mask = load_mask(samples[0])    # (H, W) bool, empty when good

Reading a category looks at the names of pictures and masks only; what is wrong inside one shows
when it is loaded, as one line that names it (`stainless.errors.InputError`). docs/inputs.md has all
that is read.
"""

from stainless.dataset.areas import load_areas, read_area_map
from stainless.dataset.category import (
    SPLITS,
    has_split,
    has_validation,
    list_categories,
    read_category,
)
from stainless.dataset.class_map import class_map
from stainless.dataset.depth import (
    Depth,
    at_depth,
    common_depth,
    depth_of,
    melded_depth,
    read_as_learned,
    record_depth,
)
from stainless.dataset.groups import Split, split_validation
from stainless.dataset.images import frame_of, image_size, load_image
from stainless.dataset.listing import IMAGE_ENDINGS, list_images
from stainless.dataset.orientation import Frame
from stainless.dataset.regions import (
    DefectClass,
    Region,
    has_saturation,
    load_regions,
    read_defects,
    require_saturation,
    saturated_regions,
)
from stainless.dataset.sample import (
    GOOD,
    AnnotationClass,
    ArraySample,
    Sample,
    as_picture,
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
    "IMAGE_ENDINGS",
    "SPLITS",
    "Annotation",
    "AnnotationClass",
    "ArraySample",
    "DefectClass",
    "Depth",
    "Frame",
    "Region",
    "Sample",
    "Split",
    "as_picture",
    "at_depth",
    "class_map",
    "common_depth",
    "depth_of",
    "frame_of",
    "has_saturation",
    "has_split",
    "has_validation",
    "image_size",
    "list_categories",
    "list_images",
    "load_annotation",
    "load_areas",
    "load_ignore",
    "load_image",
    "load_mask",
    "load_regions",
    "mask_annotation",
    "melded_depth",
    "read_area_map",
    "read_as_learned",
    "read_category",
    "read_classes",
    "read_defects",
    "record_depth",
    "require_saturation",
    "saturated_regions",
    "split_validation",
]
