"""Text encoders: a vector for each text."""

from graphrec.encoding.encoder import TextEncoder
from graphrec.encoding.opening import ENCODERS, EncoderConfig, open_encoder

__all__ = ["ENCODERS", "EncoderConfig", "TextEncoder", "open_encoder"]
