"""How far has diabetes progressed in a year?  442 patients, ten measurements each, which come with scikit-learn.

B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, Least Angle Regression, Annals of Statistics 32, 2004.
"""

from __future__ import annotations

from lossopt.tasks.bundled import from_sklearn, held_out, standardised
from lossopt.tasks.scores import r_squared
from lossopt.tasks.task import Data, Task, uniform_fan_in


def data() -> Data:
    """Standardised measurements, shape (N, 10), and the standardised progression, shape (N, 1).

    In these units the root mean squared error is ``sqrt(1 - R^2)`` times the standard deviation of the held-out targets.
    """
    measured, progression = from_sklearn("diabetes")
    test = held_out(len(progression))
    x, y = standardised(measured, test), standardised(progression[:, None], test)
    return Data(train=(x[~test], y[~test]), test=(x[test], y[test]))


task = Task(name="diabetes", data=data, models="mlp", sizes=(10, 1), initial=uniform_fan_in, score=r_squared, score_name="R^2")
