"""The two sounds of calls for help, drawn by arithmetic: a true call cannot be taken for an exercise, nor missed."""

import io
import math
import struct
import wave
from collections.abc import Iterator, Sequence
from typing import Final

RATE: Final = 16_000
"""Samples a second: enough for tones below 2 kHz."""
Tone = tuple[float, float]
"""Frequency in hertz, 0 for silence; seconds."""

# Two tones that fall and rise by a fifth, as European sirens do; repeated so that a door between does not swallow it.
TRUE: Final[Sequence[Tone]] = ((960, 0.25), (640, 0.25), (960, 0.25), (640, 0.25), (960, 0.25), (640, 0.25))
# One soft tone, twice, with silence around it: clearly another thing.
EXERCISE: Final[Sequence[Tone]] = ((440, 0.18), (0, 0.22), (440, 0.18), (0, 0.42))
SOUNDS: Final = {"panic.wav": TRUE, "panic-exercise.wav": EXERCISE}


def drawn(tones: Sequence[Tone]) -> bytes:
    """A WAV file, one channel of 16 bits; the same bytes each time."""
    samples = [sample for tone in tones for sample in _samples(*tone)]
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return file.getvalue()


def _samples(frequency: float, seconds: float) -> Iterator[int]:
    count = int(RATE * seconds)
    soft = int(RATE * 0.012)
    for number in range(count):
        # A tone that begins and ends at once cracks in the loudspeaker.
        edge = min(1.0, number / soft, (count - number) / soft)
        whole = 2 * math.pi * frequency * number / RATE
        yield round(32_767 * 0.5 * edge * (math.sin(whole) + 0.35 * math.sin(2 * whole)) / 1.35)
