"""Recordings: what a training run did, step by step, in a folder that outlives it."""

from __future__ import annotations

from lossopt.recording.contents import Parameter, Recording, RunInfo, Step
from lossopt.recording.folder import FolderWriter, read_recording

__all__ = ["FolderWriter", "Parameter", "Recording", "RunInfo", "Step", "read_recording"]
