"""The rows of the parity tables, by kind and family: each module holds ``CASES``, and `lossopt.parity.engine.suite` finds it."""
