"""Days as columns of a picture: what went well below, the rest above it, what failed on top."""

DAY_HEIGHT = 64


def stacked(good: float, rest: float, failed: float, busiest: int) -> dict[str, str]:
    """Return the heights of the three parts and where each begins, as an SVG takes them; the busiest day fills it."""
    unit = DAY_HEIGHT / busiest if busiest else 0.0
    places: dict[str, float] = {}
    top = float(DAY_HEIGHT)
    for name, count in (("good", good), ("rest", rest), ("failed", failed)):
        height = round(count * unit, 2)
        top -= height
        places |= {name: height, f"{name}_at": top}
    return {name: f"{max(value, 0):.2f}" for name, value in places.items()}
