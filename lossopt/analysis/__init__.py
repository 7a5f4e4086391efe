"""What is going on in a training run: the same questions, and the same numbers, for a PyTorch and a Flax model.

Nothing here changes what it looks at: parameters, gradients, statistics of a normalisation, train or eval mode and the
state of random generators are afterwards as they were.
"""

from __future__ import annotations

from lossopt.analysis.convergence import Convergence, check_optimization_convergence
from lossopt.analysis.gradient_flow import GradientFlow, GradientStats, analyze_gradient_flow
from lossopt.analysis.landscape import Landscape, analyze_loss_landscape
from lossopt.analysis.performance import Performance, PerformanceMonitor
from lossopt.analysis.pictures import draw_convergence, draw_gradient_flow, draw_loss_landscape, draw_performance

__all__ = [
    "Convergence",
    "GradientFlow",
    "GradientStats",
    "Landscape",
    "Performance",
    "PerformanceMonitor",
    "analyze_gradient_flow",
    "analyze_loss_landscape",
    "check_optimization_convergence",
    "draw_convergence",
    "draw_gradient_flow",
    "draw_loss_landscape",
    "draw_performance",
]
