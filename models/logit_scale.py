"""The learned factor on cosine similarities: where it starts and where it ends (CLIP, Radford et al. 2021, 2.5).

It is learned as its logarithm, as in open_clip.
"""

import math

INITIAL_LOG_SCALE = math.log(1 / 0.07)
MAX_LOG_SCALE = math.log(100)
