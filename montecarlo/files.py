"""Files that are whole or not there, for callers outside."""

from montecarlo.common.files import replaced_file as replaced_file
from montecarlo.common.files import sync_folder as sync_folder
