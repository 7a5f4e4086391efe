"""What PyTorch's and optax's own optimizers take, in the names of this package; a test holds each line to the framework.

``a=b``: our hyperparameter a is called b there.  What does not stand in a line is fixed in the framework, at the value that
the framework's convention has by default.
"""

from __future__ import annotations

from collections.abc import Mapping

ADAM = "betas[0]=b1 betas[1]=b2 eps"

ARGUMENTS: Mapping[str, str] = {
    "torch.optim.ASGD": "lambd alpha t0 weight_decay maximize",
    "torch.optim.Adadelta": "rho eps weight_decay maximize",
    "torch.optim.Adafactor": "beta2_decay eps d weight_decay maximize",
    "torch.optim.Adagrad": "lr_decay weight_decay initial_accumulator_value eps maximize",
    "torch.optim.Adam": "betas eps weight_decay amsgrad maximize decoupled=decoupled_weight_decay",
    "torch.optim.AdamW": "betas eps weight_decay amsgrad maximize",
    "torch.optim.Adamax": "betas eps weight_decay maximize",
    "torch.optim.Muon": "weight_decay momentum nesterov ns_coefficients eps ns_steps adjust_lr_fn",
    "torch.optim.NAdam": "betas eps weight_decay momentum_decay decoupled=decoupled_weight_decay maximize",
    "torch.optim.RAdam": "betas eps weight_decay decoupled=decoupled_weight_decay maximize",
    "torch.optim.RMSprop": "alpha eps weight_decay momentum centered maximize",
    "torch.optim.Rprop": "etas step_sizes maximize",
    "torch.optim.SGD": "momentum dampening weight_decay nesterov maximize",
    "torch.optim.SparseAdam": "betas eps maximize",
    "optax.adabelief": f"{ADAM} eps_root nesterov",
    "optax.adadelta": "rho eps weight_decay",
    "optax.adafactor": "min_dim_size_to_factor d=clipping_threshold eps[0]=eps weight_decay=weight_decay_rate",
    "optax.adagrad": "initial_accumulator_value eps",
    "optax.adam": ADAM,
    "optax.adamax": ADAM,
    "optax.adamaxw": f"{ADAM} weight_decay",
    "optax.adamw": f"{ADAM} weight_decay",
    "optax.adan": f"{ADAM} betas[2]=b3 eps_root weight_decay",
    "optax.amsgrad": ADAM,
    "optax.contrib.acprop": f"{ADAM} eps_root weight_decay",
    "optax.contrib.ademamix": f"{ADAM} betas[2]=b3 alpha eps_root weight_decay",
    "optax.contrib.adopt": f"{ADAM} nesterov",
    "optax.contrib.cocob": "alpha eps weight_decay",
    "optax.contrib.dadapt_adamw": "betas eps d0=estim_lr0 weight_decay",
    "optax.contrib.dog": "eps weight_decay",
    "optax.contrib.dowg": "sq_distance0=init_estim_sq_dist eps weight_decay",
    "optax.contrib.galore": "rank update_proj_gap scale weight_decay",
    "optax.contrib.madgrad": "momentum weight_decay eps",
    "optax.contrib.momo": "beta lower_bound weight_decay adapt_lower_bound",
    "optax.contrib.momo_adam": f"{ADAM} lower_bound weight_decay adapt_lower_bound",
    "optax.contrib.muon": "ns_coefficients=ns_coeffs ns_steps momentum=beta eps weight_decay nesterov",
    "optax.contrib.prodigy": "betas beta3 eps d0=estim_lr0 d_coef=estim_lr_coef weight_decay safeguard_warmup",
    "optax.contrib.schedule_free_adamw": f"{ADAM} weight_decay weight_lr_power",
    "optax.contrib.schedule_free_sgd": "momentum=b1 weight_decay weight_lr_power",
    "optax.contrib.simplified_ademamix": f"{ADAM} alpha eps_root weight_decay",
    "optax.fromage": "min_norm",
    "optax.lamb": f"{ADAM} weight_decay",
    "optax.lars": "weight_decay trust_coefficient eps momentum nesterov",
    "optax.lion": "betas[0]=b1 betas[1]=b2 weight_decay",
    "optax.nadam": ADAM,
    "optax.nadamw": f"{ADAM} weight_decay",
    "optax.noisy_sgd": "eta gamma",
    "optax.novograd": f"{ADAM} eps_root weight_decay",
    "optax.optimistic_adam_v2": f"alpha beta {ADAM} eps_root nesterov",
    "optax.optimistic_gradient_descent": "alpha beta",
    "optax.polyak_sgd": "max_lr=max_learning_rate f_min eps variant",
    "optax.radam": f"{ADAM} eps_root threshold nesterov",
    "optax.rmsprop": "alpha=decay eps eps_inside_root=eps_in_sqrt centered momentum",
    "optax.sgd": "momentum nesterov",
    "optax.sign_sgd": "",
    "optax.signum": "momentum=beta",
    "optax.sm3": "momentum",
    "optax.yogi": ADAM,
}
"""Not there, as they do something else: torch's LBFGS (up to 20 iterations a step), optax's lbfgs (its own line search), rprop
(gives out the update of the step before), dpsgd and sophia (ask for more than gradients), optimistic_adam (takes no schedule,
and is deprecated for optimistic_adam_v2)."""

FIXED_LR = frozenset({"optax.polyak_sgd"})
"""What has no learning rate of ours; lr is 1."""
