"""What a data sheet says of a replica, where nobody has measured it."""

from dataclasses import dataclass

# What a prefill gets of that compute. 0.7 was measured (Qwen3-8B on an H200, bench/sizing/);
# what others get is not known, so this is less.
COMPUTE = 0.5


@dataclass(frozen=True)
class Peak:
    """What a replica's accelerators could do at most.

    Args:
        bandwidth: bytes of memory a second.
        compute: operations a second.
    """

    bandwidth: float
    compute: float


def peak(accelerator: dict[str, object], model: dict[str, object], count: int) -> Peak | None:
    """Return the peak of so many accelerators; None where the preset does not have it."""
    sheet = accelerator.get("peak")
    if not isinstance(sheet, dict) or not {"bandwidthGBs", "tflops"} <= sheet.keys():
        return None
    # Weights of 4 bits are unpacked, and reckoned with in 16, but for what a Blackwell does.
    eight_bits = 0.9 < int(str(model["weightBytes"])) / int(str(model["parameters"])) < 1.5
    tflops = sheet["fp8Tflops" if eight_bits and "fp8Tflops" in sheet else "tflops"]
    return Peak(sheet["bandwidthGBs"] * 1e9 * count, tflops * 1e12 * count)


def active(model: dict[str, object]) -> float:
    """Return the parameters that a token goes through."""
    if "activeParameters" in model:
        return float(str(model["activeParameters"]))
    parameters = float(str(model["parameters"]))
    if "experts" not in model:
        return parameters
    names = ("layers", "hiddenSize", "intermediateSize", "experts", "activeExperts")
    layers, hidden, wide, experts, used = (float(str(model[name])) for name in names)
    return parameters - layers * 3 * hidden * (wide / used) * (experts - used)
