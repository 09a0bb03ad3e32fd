"""Name and folder of the bundled model, which ships with the engine."""

from pathlib import Path

BUNDLED_NAME = "bundled"
BUNDLED = Path(__file__).parent  # weights, tokenizer and model card
MASKED = BUNDLED / "masked"  # the masked model, which sees both sides
