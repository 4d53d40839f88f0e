"""Runs: what rows are of, where they are drawn, and the folder that keeps them; all samplers go through."""

from montecarlo.common.rows import REPLICA_LIMIT as REPLICA_LIMIT
from montecarlo.common.rows import Columns as Columns
from montecarlo.common.rows import check_replicas as check_replicas
from montecarlo.common.rows import complement as complement
from montecarlo.common.rows import record_key as record_key
from montecarlo.runs._beside import compile_kernels as compile_kernels
from montecarlo.runs._beside import compiled_beside as compiled_beside
from montecarlo.runs._beside import kernel_modules as kernel_modules
from montecarlo.runs._crew import hired_crew as hired_crew
from montecarlo.runs._rows import Progress as Progress
from montecarlo.runs._rows import collect_rows as collect_rows
from montecarlo.runs._rows import draw_blocks as draw_blocks
from montecarlo.runs._rows import executor_in_use as executor_in_use
from montecarlo.runs._rows import iter_rows as iter_rows
from montecarlo.runs._rows import suggest_block_size as suggest_block_size
from montecarlo.runs._run import Block as Block
from montecarlo.runs._run import Drawn as Drawn
from montecarlo.runs._run import ResNetRun as ResNetRun
from montecarlo.runs._run import Run as Run
from montecarlo.runs._run import Specification as Specification
from montecarlo.runs._run import draw_block as draw_block
from montecarlo.runs._running import Running as Running
from montecarlo.runs._running import current_running as current_running
from montecarlo.runs._running import running as running
