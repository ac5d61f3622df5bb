"""Surfaces drawn with OpenGL, anew only when something changed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import qtpy
from qtpy.QtWidgets import QWidget
from vispy import app, gloo

from napari_medlabel.core.surface import Surface
from napari_medlabel.ui.surface_camera import Camera

__all__ = ["Look", "SurfaceCanvas"]

Rgb = tuple[float, float, float]

_VERTEX: Final = """
uniform mat4 u_clip_from_lps;
uniform mat3 u_eye_from_lps;
attribute vec3 a_position;
attribute vec3 a_normal;
attribute float a_stain;
varying vec3 v_normal;
varying float v_stain;
void main() {
    v_normal = u_eye_from_lps * a_normal;
    v_stain = a_stain;
    gl_Position = u_clip_from_lps * vec4(a_position, 1.0);
}
"""
# A lamp over the left shoulder of whoever looks, a little light from everywhere, a soft gloss.
# What is seen through is denser where it turns away, as glass is.
_FRAGMENT: Final = """
uniform vec4 u_color;
uniform vec3 u_stain;
uniform float u_glass;
varying vec3 v_normal;
varying float v_stain;
void main() {
    vec3 normal = normalize(v_normal);
    vec3 lamp = normalize(vec3(-0.35, 0.55, 1.0));
    float lit = 0.30 + 0.72 * max(dot(normal, lamp), 0.0);
    float gloss = 0.22 * pow(max(reflect(-lamp, normal).z, 0.0), 14.0);
    float rim = pow(1.0 - abs(normal.z), 2.0);
    float alpha = mix(u_color.a, mix(0.50, 2.4, rim) * u_color.a, u_glass);
    vec3 color = mix(u_color.rgb, u_stain, smoothstep(0.35, 0.65, v_stain));
    gl_FragColor = vec4(color * lit + gloss * (1.0 - u_glass), min(alpha, 1.0));
}
"""
_MARKER_PX: Final = 5.0
_POINT: Final = np.dtype(
    [("a_position", np.float32, 3), ("a_normal", np.float32, 3), ("a_stain", np.float32)]
)
_RENDERER, _MULTISAMPLE = 0x1F01, 0x809D  # of OpenGL; the subset that gloo names lacks them
_SLOW: Final = ("llvmpipe", "softpipe", "swiftshader", "gdi generic")  # no graphics card


@dataclass(frozen=True, slots=True)
class Look:
    """How a surface is painted: a colour, whether it is glass, and seen through others.

    `stain` is the colour of those of its points that are marked.
    """

    rgb: Rgb
    alpha: float = 1.0
    glass: bool = False
    through: bool = False
    stain: Rgb = (0.0, 0.0, 0.0)


class SurfaceCanvas(app.Canvas):
    """Meshes by number, a camera and a marker.

    Draws when Qt asks for it or `update` was called: a view at rest costs nothing.
    """

    def __init__(self, parent: QWidget) -> None:
        app.use_app(qtpy.API_NAME)
        self.camera = Camera()
        self.marker_lps: tuple[float, float, float] | None = None
        self.looks: dict[int, Look] = {}
        self.draws = 0
        self._buffers: dict[int, tuple[gloo.VertexBuffer, gloo.IndexBuffer]] = {}
        super().__init__(
            parent=parent, keys=None, show=False, autoswap=True, vsync=False,
            config={"samples": 4, "depth_size": 24},
        )  # fmt: skip
        self._program = gloo.Program(_VERTEX, _FRAGMENT)
        self._sphere = _on_card(*_ball())

    def set_mesh(
        self, number: int, surface: Surface | None, stained: npt.NDArray[np.float32] | None = None
    ) -> None:
        """Put a surface on the card in place of the one of this number, or take that away.

        `stained` says from 0 to 1 how much each of its points is marked.
        """
        old = self._buffers.pop(number, None)
        if old is not None:
            for buffer in old:
                buffer.delete()
        if surface is not None and not surface.is_nothing:
            self._buffers[number] = _on_card(
                surface.points_lps, surface.normals, surface.faces, stained
            )

    def on_draw(self, _event: object = None) -> None:
        """Draw all, solid things first."""
        self.draws += 1
        if self.draws == 1:
            _spare_a_slow_renderer()
        gloo.set_viewport(0, 0, *self.physical_size)
        gloo.set_state(depth_test=True, cull_face=True, blend=False, depth_func="less")
        gloo.set_depth_mask(True)
        gloo.clear(color=(0.0, 0.0, 0.0, 1.0), depth=True)
        self._program["u_clip_from_lps"] = self._clip().T.astype(np.float32)
        self._program["u_eye_from_lps"] = self.camera.axes.T.astype(np.float32)
        shown = [(n, look) for n, look in self.looks.items() if n in self._buffers]
        for number, look in shown:
            if not look.glass:
                self._draw(self._buffers[number], look)
        self._draw_marker()
        gloo.set_state(blend=True, blend_func=("src_alpha", "one_minus_src_alpha"))
        gloo.set_depth_mask(False)
        for number, look in shown:
            if look.glass:
                self._draw(self._buffers[number], look)
        gloo.set_state(depth_test=False)
        for number, look in shown:
            if look.through:  # what is before it hides nothing: a lesion in its organ
                self._draw(self._buffers[number], look)
        gloo.set_state(depth_test=True)
        gloo.set_depth_mask(True)

    def close(self) -> None:
        """Let go of all on the card; the window system's part goes with it."""
        for number in tuple(self._buffers):
            self.set_mesh(number, None)
        super().close()

    # How

    def _clip(self) -> npt.NDArray[np.float64]:
        return self.camera.clip_from_lps(self.size)

    def _draw(self, buffers: tuple[gloo.VertexBuffer, gloo.IndexBuffer], look: Look) -> None:
        vertices, faces = buffers
        self._program.bind(vertices)
        self._program["u_color"] = (*look.rgb, look.alpha)
        self._program["u_stain"] = look.stain
        self._program["u_glass"] = float(look.glass)
        self._program.draw("triangles", faces)

    def _draw_marker(self) -> None:
        """A white ball where the crosshair is; through what is before it, fainter."""
        if self.marker_lps is None:
            return
        clip = self._clip()
        size_mm = _MARKER_PX * 2.0 * self.camera.radius_mm / max(min(self.size), 1)
        placed = np.diag([size_mm, size_mm, size_mm, 1.0])
        placed[:3, 3] = self.marker_lps
        self._program["u_clip_from_lps"] = (clip @ placed).T.astype(np.float32)
        self._draw(self._sphere, Look((1.0, 1.0, 1.0)))
        gloo.set_state(
            depth_test=False, blend=True, blend_func=("src_alpha", "one_minus_src_alpha")
        )
        self._draw(self._sphere, Look((1.0, 1.0, 1.0), alpha=0.4))
        gloo.set_state(depth_test=True, blend=False)
        self._program["u_clip_from_lps"] = clip.T.astype(np.float32)


def _spare_a_slow_renderer() -> None:
    """Without smooth edges a processor draws twice as fast."""
    name = str(gloo.gl.glGetParameter(_RENDERER)).lower()
    if any(slow in name for slow in _SLOW):
        gloo.gl.glDisable(_MULTISAMPLE)


def _on_card(
    points: npt.NDArray[np.float32], normals: npt.NDArray[np.float32],
    faces: npt.NDArray[np.uint32], stained: npt.NDArray[np.float32] | None = None,
) -> tuple[gloo.VertexBuffer, gloo.IndexBuffer]:  # fmt: skip
    table = np.zeros(len(points), _POINT)
    table["a_position"], table["a_normal"] = points, normals
    if stained is not None:
        table["a_stain"] = stained
    return gloo.VertexBuffer(table), gloo.IndexBuffer(np.ascontiguousarray(faces, np.uint32))


def _ball(
    around: int = 16,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.uint32]]:
    """A ball of radius one: points, normals, faces."""
    angle = np.arange(around) * 2.0 * np.pi / around
    down = np.linspace(0.0, np.pi, around // 2 + 1)
    ring = np.stack(np.meshgrid(down, angle, indexing="ij"), axis=-1).reshape(-1, 2)
    sine = np.sin(ring[:, 0])
    points = np.stack([sine * np.cos(ring[:, 1]), sine * np.sin(ring[:, 1]), np.cos(ring[:, 0])], 1)
    r, c = np.divmod(np.arange(around * (around // 2)), around)
    a, b = r * around + c, r * around + (c + 1) % around
    faces = np.concatenate([
        np.stack([a, a + around, b], 1), np.stack([b, a + around, b + around], 1)
    ])  # fmt: skip
    return points.astype(np.float32), points.astype(np.float32), faces.astype(np.uint32)
