"""Results folders: rows of runs in Parquet shards, whole or not at all, checked whenever they are read.

`Store` reads and writes one, `combine` pools several.
"""

from montecarlo.store._combine import Combined as Combined
from montecarlo.store._combine import combine as combine
from montecarlo.store._errors import StoreError as StoreError
from montecarlo.store._errors import StoreWarning as StoreWarning
from montecarlo.store._shard import Piece as Piece
from montecarlo.store._store import Store as Store
