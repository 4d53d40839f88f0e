"""Counter-based random streams: Philox4x32-10 words, float32 normals, keys and roles."""

from montecarlo.streams._keys import LAYER_LIMIT as LAYER_LIMIT
from montecarlo.streams._keys import ROLE_BIAS as ROLE_BIAS
from montecarlo.streams._keys import ROLE_EMBEDDING as ROLE_EMBEDDING
from montecarlo.streams._keys import ROLE_INPUT as ROLE_INPUT
from montecarlo.streams._keys import ROLE_READOUT as ROLE_READOUT
from montecarlo.streams._keys import ROLE_V as ROLE_V
from montecarlo.streams._keys import ROLE_W as ROLE_W
from montecarlo.streams._keys import STREAM_FORMAT as STREAM_FORMAT
from montecarlo.streams._keys import derive_key as derive_key
from montecarlo.streams._normals import LARGEST_NORMAL as LARGEST_NORMAL
from montecarlo.streams._normals import normals as normals
from montecarlo.streams._normals import normals_of_words as normals_of_words
from montecarlo.streams._philox import words as words
