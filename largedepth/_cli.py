"""The verbs. Each is a file; what is heavy is imported when the verb runs, so that help is instant."""

from __future__ import annotations

import click

from largedepth._combine import combine
from largedepth._completion import complete_values, completion
from largedepth._depth_check import depth_check
from largedepth._diagnose import diagnose
from largedepth._figures import figures
from largedepth._report import report
from largedepth._reproduce import reproduce
from largedepth._simulate import simulate
from largedepth._simulate_tokens import simulate_tokens
from largedepth._sweep import sweep
from largedepth._theorems import theorems
from largedepth._train import train
from largedepth._verify import verify

_EXAMPLES = """\b
Examples:
  largedepth diagnose --width 1024 --depth 48 --alpha 1
  largedepth depth-check mymodel:build --expect critical
  largedepth simulate --width 40 --depth 1000 --out s.csv
  largedepth simulate-tokens --preset gpt2 --out t.parquet
  largedepth verify I2 I6
  largedepth figures 1 3 --out results/figures
  largedepth reproduce
  largedepth completion bash"""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=_EXAMPLES
)
@click.version_option(package_name="largedepth")
def cli() -> None:
    """Theory-verification Monte Carlo for deep residual networks at initialisation.

    Data goes to standard output or --out, messages to standard error. Exit codes: 0 done and
    nothing refuted, 1 a theorem was refuted, 2 bad input, 3 undecided within the budget, 70 a defect of the
    program, 130 interrupted (work done so far is kept).
    """


for verb in (
    combine, completion, depth_check, diagnose, figures, report, reproduce, simulate, simulate_tokens, sweep,
    theorems, train, verify,
):  # fmt: skip
    cli.add_command(verb)
    complete_values(verb)
