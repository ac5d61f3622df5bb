"""Where the voxels of a plane are in a pane: plain numbers, no Qt."""

from dataclasses import dataclass, replace

__all__ = ["Frame", "Span"]

FILLED = 0.95  # of the pane, when all of the slice is in sight
LEAST_PX, MOST_PX = 4.0, 64.0  # the whole slice at the least; one voxel at the most
Span = tuple[int, int, int, int]  # first row, last plus one, first column, last plus one


@dataclass(frozen=True, slots=True)
class Frame:
    """A view onto a plane of voxels.

    A voxel's centre has whole numbers as its row and column; it reaches half a voxel around it.

    Parameters
    ----------
    rows, columns
        Of the plane.
    row_mm, column_mm
        Distance between them.
    upwards
        True where rows grow towards the top of the screen: coronal and sagittal, head up.
    width, height
        Of the pane, in pixels.
    zoom
        Pixels per millimetre.
    row, column
        What lies in the middle of the pane.
    """

    rows: int
    columns: int
    row_mm: float
    column_mm: float
    upwards: bool = False
    width: int = 1
    height: int = 1
    zoom: float = 1.0
    row: float = 0.0
    column: float = 0.0

    @property
    def row_px(self) -> float:
        """Pixels from a row to the next, downwards."""
        return self.row_mm * self.zoom * (-1.0 if self.upwards else 1.0)

    @property
    def column_px(self) -> float:
        """Pixels from a column to the next."""
        return self.column_mm * self.zoom

    def fitted(self) -> "Frame":
        """All of the slice in sight."""
        across = self.width / (self.columns * self.column_mm)
        down = self.height / (self.rows * self.row_mm)
        return replace(
            self, zoom=max(FILLED * min(across, down), 1e-6),
            row=(self.rows - 1) / 2.0, column=(self.columns - 1) / 2.0,
        )  # fmt: skip

    def sized(self, width: int, height: int) -> "Frame":
        """The same in a pane of another size: what was fitted stays fitted."""
        fits = self == self.fitted()
        new = replace(self, width=max(width, 1), height=max(height, 1))
        if fits:
            return new.fitted()
        before, after = min(self.width, self.height), min(new.width, new.height)
        return replace(new, zoom=self.zoom * after / before)

    def px(self, row: float, column: float) -> tuple[float, float]:
        """Where a place in the plane is, from the pane's upper left corner: x and y."""
        return (
            self.width / 2.0 + (column - self.column) * self.column_px,
            self.height / 2.0 + (row - self.row) * self.row_px,
        )

    def place(self, x: float, y: float) -> tuple[float, float]:
        """The row and column under a pixel, which may lie outside the plane."""
        return (
            self.row + (y - self.height / 2.0) / self.row_px,
            self.column + (x - self.width / 2.0) / self.column_px,
        )

    def holds(self, row: float, column: float) -> bool:
        """True within the plane's voxels."""
        return -0.5 <= row < self.rows - 0.5 and -0.5 <= column < self.columns - 0.5

    def box_px(self, span: Span) -> tuple[float, float, float, float]:
        """The rectangle that some rows and columns of voxels cover: left, top, width, height."""
        first_row, end_row, first_column, end_column = span
        left, a = self.px(first_row - 0.5, first_column - 0.5)
        right, b = self.px(end_row - 0.5, end_column - 0.5)
        return (left, min(a, b), right - left, abs(b - a))

    @property
    def whole(self) -> Span:
        """All of the plane."""
        return (0, self.rows, 0, self.columns)

    def panned(self, x: float, y: float) -> "Frame":
        """The image moved by some pixels; it never leaves the pane altogether."""
        row = self.row - y / self.row_px
        column = self.column - x / self.column_px
        return replace(
            self, row=min(max(row, -0.5), self.rows - 0.5),
            column=min(max(column, -0.5), self.columns - 0.5),
        )  # fmt: skip

    def zoomed(self, factor: float, x: float, y: float) -> "Frame":
        """Larger or smaller, what is under the pixel staying there."""
        fit = self.fitted().zoom
        finest = MOST_PX / min(self.row_mm, self.column_mm)
        zoom = min(max(self.zoom * factor, fit / LEAST_PX), max(finest, fit))
        row, column = self.place(x, y)
        new = replace(self, zoom=zoom)
        return replace(
            new, row=row - (y - self.height / 2.0) / new.row_px,
            column=column - (x - self.width / 2.0) / new.column_px,
        )  # fmt: skip

    def centred(self, row: float, column: float) -> "Frame":
        """A place in the middle of the pane."""
        return replace(self, row=row, column=column)

    def scale_bar(self) -> tuple[float, float]:
        """A round length in mm that takes 12 to 25 % of the width, and its pixels."""
        wide_mm = self.width / self.zoom
        most = 0.25 * wide_mm
        power = 10.0
        while power > most:
            power /= 10.0
        while power * 10.0 <= most:
            power *= 10.0
        length = max(n * power for n in (1.0, 2.0, 5.0) if n * power <= most)
        return length, length * self.zoom
