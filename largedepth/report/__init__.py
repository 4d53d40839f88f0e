"""The report of `largedepth reproduce`: one HTML file that needs no other, built from files of a folder."""

from largedepth.report._data import Check as Check
from largedepth.report._data import Figure as Figure
from largedepth.report._data import Report as Report
from largedepth.report._data import Run as Run
from largedepth.report._data import Statement as Statement
from largedepth.report._data import Verdict as Verdict
from largedepth.report._machine import machine_facts as machine_facts
from largedepth.report._read import read_report as read_report
from largedepth.report._render import render as render
from largedepth.report._render import write_report as write_report
from largedepth.report._render import write_run as write_run
