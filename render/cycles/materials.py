"""What surfaces are made of: small trees of shaders, and the Blender nodes that each becomes.

Any value may be a number, a colour (red, green, blue; linear) or a texture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Texture:
    """A picture on a surface, interpolated linearly and continued beyond its border.

    Attributes:
        name: that of the mesh's texture coordinates.
        pixels: (H, W, 3) float32, linear; row 0 is at coordinate t = 0. Kept in half precision.
    """

    name: str
    pixels: Float32


@dataclass(frozen=True)
class Channel:
    """One channel (0, 1 or 2) of a texture."""

    texture: Texture
    index: int


Value = float | tuple[float, float, float] | Texture | Channel


class Shader(Protocol):
    """Scatters or emits light."""

    def build(self, nodes: Nodes) -> Any:
        """Add the shader's nodes and return the socket that it comes out of."""


@dataclass(frozen=True)
class Glossy:
    """Reflection by a rough metal (GGX).

    Attributes:
        colour: share of the light that is reflected.
        roughness: its square is the GGX alpha.
        anisotropy: how much wider the lobe is along the tangent, -1 to 1.
        tangent: direction of the grooves in the world, of any length in a texture, or None where
            there are none.
        normal: texture of normals in the world, of any length, or None for the mesh's own.
    """

    colour: Value
    roughness: Value
    anisotropy: Value = 0.0
    tangent: tuple[float, float, float] | Texture | None = None
    normal: Texture | None = None

    def build(self, nodes: Nodes) -> Any:
        """Add an anisotropic lobe."""
        lobe = nodes.add(
            "ShaderNodeBsdfAnisotropic",
            {"Color": self.colour, "Roughness": self.roughness, "Anisotropy": self.anisotropy},
        )
        lobe.distribution = "GGX"
        nodes.orient(lobe, self.normal, self.tangent)
        return lobe.outputs["BSDF"]


@dataclass(frozen=True)
class Diffuse:
    """Reflection by a matt surface (Lambert, or Oren-Nayar where it is rough).

    Attributes:
        colour: share of the light that is reflected.
        roughness: 0 to 1.
        normal: texture of normals in the world, of any length, or None for the mesh's own.
    """

    colour: Value
    roughness: Value = 0.0
    normal: Texture | None = None

    def build(self, nodes: Nodes) -> Any:
        """Add a diffuse lobe."""
        inputs = {"Color": self.colour, "Roughness": self.roughness}
        lobe = nodes.add("ShaderNodeBsdfDiffuse", inputs)
        nodes.orient(lobe, self.normal)
        return lobe.outputs["BSDF"]


@dataclass(frozen=True)
class Principled:
    """Blender's all-purpose material: metal, plastic and what lies between.

    Attributes:
        colour: of the metal, or of the body below a clear surface.
        roughness: its square is the GGX alpha.
        metallic: 1 for metal, 0 for plastic or lacquer.
        anisotropy: 0 to 1.
        tangent: direction of the grooves in the world, or None where there are none.
        normal: texture of normals in the world, of any length, or None for the mesh's own.
    """

    colour: Value
    roughness: Value
    metallic: Value = 0.0
    anisotropy: float = 0.0
    tangent: tuple[float, float, float] | None = None
    normal: Texture | None = None

    def build(self, nodes: Nodes) -> Any:
        """Add a principled shader."""
        inputs = {
            "Base Color": self.colour,
            "Roughness": self.roughness,
            "Metallic": self.metallic,
            "Anisotropic": self.anisotropy,
        }
        shader = nodes.add("ShaderNodeBsdfPrincipled", inputs)
        nodes.orient(shader, self.normal, self.tangent)
        return shader.outputs["BSDF"]


@dataclass(frozen=True)
class Emission:
    """Light of its own; reflects nothing.

    Attributes:
        colour: factor on the radiance.
        radiance: relative units.
    """

    colour: Value = (1.0, 1.0, 1.0)
    radiance: float = 1.0

    def build(self, nodes: Nodes) -> Any:
        """Add an emitter."""
        inputs = {"Color": self.colour, "Strength": self.radiance}
        emission = nodes.add("ShaderNodeEmission", inputs)
        return emission.outputs["Emission"]


@dataclass(frozen=True)
class Mix:
    """One shader where `share` is 0, another where it is 1, in between both."""

    share: Value
    below: Shader
    above: Shader

    def build(self, nodes: Nodes) -> Any:
        """Add both and mix them."""
        mix = nodes.add("ShaderNodeMixShader")
        # The names of its inputs repeat.
        nodes.connect(mix.inputs[0], self.share)
        nodes.tree.links.new(self.below.build(nodes), mix.inputs[1])
        nodes.tree.links.new(self.above.build(nodes), mix.inputs[2])
        return mix.outputs["Shader"]


class Nodes:
    """The nodes of one Blender material. Textures that several shaders read are there once."""

    def __init__(self, bpy: Any, tree: Any) -> None:
        self.bpy = bpy
        self.tree = tree
        self._outputs: dict[tuple[str, str], Any] = {}

    def add(self, kind: str, inputs: Mapping[str, Value] | None = None) -> Any:
        """Add a node by Blender's name of its kind, and give inputs by name their values."""
        node = self.tree.nodes.new(kind)
        for name, value in (inputs or {}).items():
            self.connect(node.inputs[name], value)
        return node

    def connect(self, socket: Any, value: Value) -> None:
        """Give a socket a value."""
        if isinstance(value, Texture):
            self.tree.links.new(self._colour(value), socket)
        elif isinstance(value, Channel):
            self.tree.links.new(self._channels(value.texture)["XYZ"[value.index]], socket)
        elif socket.type == "RGBA":
            red, green, blue = value if isinstance(value, tuple) else (value, value, value)
            socket.default_value = (red, green, blue, 1)
        else:
            socket.default_value = value

    def orient(
        self,
        node: Any,
        normal: Texture | None,
        tangent: tuple[float, float, float] | Texture | None = None,
    ) -> None:
        """Give a lobe its normal and tangent, where it has any of its own."""
        if isinstance(tangent, Texture):
            self.tree.links.new(self._unit(tangent), node.inputs["Tangent"])
        elif tangent is not None:
            along = self.add("ShaderNodeCombineXYZ")
            for axis, value in zip("XYZ", tangent, strict=True):
                along.inputs[axis].default_value = value
            self.tree.links.new(along.outputs["Vector"], node.inputs["Tangent"])
        if normal is not None:
            self.tree.links.new(self._unit(normal), node.inputs["Normal"])

    def _colour(self, texture: Texture) -> Any:
        key = texture.name, "colour"
        if key not in self._outputs:
            place = self.add("ShaderNodeUVMap")
            place.uv_map = texture.name
            lookup = self.add("ShaderNodeTexImage")
            lookup.image = _image(self.bpy, texture)
            lookup.interpolation = "Linear"
            lookup.extension = "EXTEND"
            self.tree.links.new(place.outputs["UV"], lookup.inputs["Vector"])
            self._outputs[key] = lookup.outputs["Color"]
        return self._outputs[key]

    def _channels(self, texture: Texture) -> Any:
        key = texture.name, "channels"
        if key not in self._outputs:
            separate = self.add("ShaderNodeSeparateXYZ")
            self.tree.links.new(self._colour(texture), separate.inputs["Vector"])
            self._outputs[key] = separate.outputs
        return self._outputs[key]

    def _unit(self, texture: Texture) -> Any:
        key = texture.name, "unit"
        if key not in self._outputs:
            unit = self.add("ShaderNodeVectorMath")
            unit.operation = "NORMALIZE"
            self.tree.links.new(self._colour(texture), unit.inputs[0])
            self._outputs[key] = unit.outputs["Vector"]
        return self._outputs[key]


def _image(bpy: Any, texture: Texture) -> Any:
    """Return a Blender image of linear float data."""
    rows, columns = texture.pixels.shape[:2]
    image = bpy.data.images.new(
        texture.name, columns, rows, alpha=False, float_buffer=True, is_data=True
    )
    rgba = np.ones((rows, columns, 4), np.float32)
    rgba[..., :3] = texture.pixels
    image.pixels.foreach_set(rgba.ravel())
    image.use_half_precision = True
    return image
