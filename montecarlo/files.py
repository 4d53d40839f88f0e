"""Files that are whole or not there, for callers outside."""

from montecarlo.common.files import check_writable, exclusive, replaced_file, sync_folder

__all__ = ["check_writable", "exclusive", "replaced_file", "sync_folder"]
