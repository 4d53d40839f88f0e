"""
Formulas, laws, limits and bounds for deep residual networks at initialisation.

Plain numbers in, numbers out: nothing here simulates, and nothing here knows a network (law objects offer
`rvs`, from their formulas). Statement ids
(I1, F1, ...) are those of the theorem catalogue; MFBV is arXiv:2206.06929. Logarithms are natural,
ratios are of Euclidean norms.

- Mean squares of hidden states and gradients, exact at every width and depth (I1, I2, I3), and of
  weight gradients (I5): `hidden_second_moment`, `gradient_second_moment`,
  `weight_gradient_second_moment`, their ``log_`` and ``difference`` forms, `second_moment_bounds`.
- Every moment of the norm ratio with Gaussian weights (I7), and when a sample mean is useless:
  `radial_moment`, `log_norm_moment`, `log_relative_variance`, `log_networks_for_mean`.
- The exact law of the norm at every depth (I6): `ExactNormLaw`; its distance to the limit, without
  simulation: `convergence_in_law`, `distances_to_limit`.
- Duality of gradients and hidden states (I4): `gradient_duality`, `dual_column`.
- Critical scaling: `critical_difference_bounds`, `critical_gradient_bounds` (I9).
- Below it, the identity (I10): `identity_bound`, `difference_markov_bound`, `identity_limit_law`.
- Above it, the explosion (I11): `explosion_rate`, `explosion_log_mean`, `explosion_probability`.
- Regimes and critical exponents (F1): `regime`, `critical_scaling`, `alpha_from_beta`.
- Limit laws at the critical scaling (I8, S2): `critical_log_norm_law`, `critical_log_difference_law`,
  `critical_angle_law`; for any activation and biases (S3): `log_norm_diffusion_law`.
- Width to infinity (S4, S5): `mean_square_flow`, `cosine_flow`, `two_input_flow`, the discrete
  `mean_square_recursion`, `cosine_recursion`; dual activations: `activation_second_moment`,
  `dual_activation`.
- Laws of both norm ratios of wide networks at any depth and scaling (S4): `wide_log_norm_laws`; their
  growth in mean square alone, as a function of c in α = c/√L: `MeanFieldGrowth`.
- Active units decide the growth of res-1 (S6): `active_units_drift`, `active_units_noise_law`.
- Weights correlated along the layers, to first order (F2): `first_order_difference` for any lag
  covariances, `fractional_first_order` and `fractional_growth` for fractional noise, their ``log_`` forms;
  `correlated_log_mean`; in wide networks at every order, `correlated_mean_square`.
- Lag covariances: `fractional_noise_covariance` and its sums, `rbf_covariance`,
  `rbf_increments_covariance`, `rbf_derivative_covariance`, `matern_covariance`.
- Antipersistent weights (F3): `antipersistent_contraction`, `antipersistent_log_norm_law`.
- Smooth weights (O1 to O4): `ode_identity_constant`, `gronwall_bound`, `ode_log_volume_deviation`.
- Orders of convergence to the limit equations (S1, O1, F4): `convergence_order`, `young_log_error`.
- Pre-norm networks as random walks, their exact laws and limits (N1 to N3, N11): `NormalisedWalk`,
  `walk_limit_law`, `activation_energy`. Their gradients (N5 to N8): `prenorm_gradient_limit`, which refuses
  widths whose mean is infinite, `prenorm_gradient_chain` at finite depth, `gradient_variance_is_finite`.
- Peri-norm (N9): `peri_second_moment`, `peri_gradient_limit`; post-norm (N10): `PostnormLaw`,
  `postnorm_limit_law`, `mean_cosine`; DyT (N12): `dyt_recursion`, `dyt_expansion`.
- Schedules, factors of the stream, hidden widths and gates (G1 to G6): `ScheduleNormLaw`,
  `schedule_second_moment`, `schedule_weight_gradients`, `gate_gradient_second_moment`, `euler_overlap`,
  `deepnorm`.
- One-matrix blocks, balanced and vanilla (G7): `balanced_fourth_moment`, `log_gaussian_law` and
  `vanilla_expansion`.
- Post-activation blocks (P1 to P3): `post_activation_flow`, `post_activation_law`,
  `log_gradient_lower_bound`.
- Several inputs at finite width: the law of their cosine (C1) `cosine_diffusion_law`, how angles close in the
  end (C2) `terminal_angle_exponent`, Gram matrices for any activation (C3) `gram_drift`, `gram_covariance`,
  the error of the wide and deep limit (C4) `commuting_error`; behind a norm (N4) `prenorm_cosine_recursion`.
- Jacobians: tangents instead of gradients, in any network (J0), `isotropic_duality`; volumes and the
  determinant (J1), `volume_second_moment`, `log_determinant_limit_law`; Lyapunov exponents (J2),
  `lyapunov_exponents`, `qr_diagonal_limit_law`; singular values (J3), `log_trace_moments`,
  `trace_moment_limit`, and in wide networks `wide_singular_value_law`.
- Tangent kernels (J4): `log_tangent_kernel_mean`, `log_tangent_kernel_second_moment`, and of two inputs
  `wide_tangent_kernel`.
- Tokens and attention (T1 to T4): `attention_gram`, `uniform_attention_means`, `constant_attention_gram`,
  `mean_token_law`, `prenorm_token_second_moment` and its bounds, `token_cosine_recursion`,
  `token_cosine_flow`; any wide transformer, layer by layer: `wide_tokens` of `TokenLayers`; rates of rank
  collapse: `token_exponents`.
- The statements themselves, with their hypotheses and sources: `theory.catalogue`.
"""

import importlib
from typing import TYPE_CHECKING

from theory.common._activation_energy import ActivationEnergy as ActivationEnergy
from theory.common._activation_energy import activation_energy as activation_energy
from theory.common._activations import ACTIVATIONS as ACTIVATIONS
from theory.common._activations import Activation as Activation
from theory.common._activations import activation_function as activation_function
from theory.common._dual import activation_second_moment as activation_second_moment
from theory.common._dual import arc_cosine_kernel as arc_cosine_kernel
from theory.common._dual import dual_activation as dual_activation
from theory.common._point_mass import PointMass as PointMass
from theory.common._tabulated_law import TabulatedLaw as TabulatedLaw
from theory.correlated._antipersistent import AntipersistentContraction as AntipersistentContraction
from theory.correlated._antipersistent import antipersistent_contraction as antipersistent_contraction
from theory.correlated._antipersistent_limit import antipersistent_log_norm_law as antipersistent_log_norm_law
from theory.correlated._convergence_order import ConvergenceOrder as ConvergenceOrder
from theory.correlated._convergence_order import convergence_order as convergence_order
from theory.correlated._convergence_order import young_log_error as young_log_error
from theory.correlated._first_order import first_order_difference as first_order_difference
from theory.correlated._first_order import log_first_order_difference as log_first_order_difference
from theory.correlated._first_order_gradient import (
    first_order_gradient_difference as first_order_gradient_difference,
)
from theory.correlated._first_order_gradient import (
    log_first_order_gradient_difference as log_first_order_gradient_difference,
)
from theory.correlated._fractional_first_order import fractional_first_order as fractional_first_order
from theory.correlated._fractional_first_order import fractional_growth as fractional_growth
from theory.correlated._fractional_first_order import log_fractional_first_order as log_fractional_first_order
from theory.correlated._fractional_noise import fractional_noise_area as fractional_noise_area
from theory.correlated._fractional_noise import fractional_noise_covariance as fractional_noise_covariance
from theory.correlated._fractional_noise import fractional_noise_pair_sum as fractional_noise_pair_sum
from theory.correlated._fractional_noise import fractional_noise_partial_sum as fractional_noise_partial_sum
from theory.correlated._log_mean import correlated_log_mean as correlated_log_mean
from theory.correlated._mean_field import correlated_mean_square as correlated_mean_square
from theory.correlated._regimes import alpha_from_beta as alpha_from_beta
from theory.correlated._regimes import beta_from_alpha as beta_from_alpha
from theory.correlated._regimes import critical_scaling as critical_scaling
from theory.correlated._regimes import regime as regime
from theory.diffusion._active_units import ACTIVE_UNITS_CRITICAL as ACTIVE_UNITS_CRITICAL
from theory.diffusion._active_units import HALF_ACTIVE_CRITICAL_WIDTH as HALF_ACTIVE_CRITICAL_WIDTH
from theory.diffusion._active_units import active_units_drift as active_units_drift
from theory.diffusion._active_units import active_units_noise_law as active_units_noise_law
from theory.diffusion._active_units import single_unit_law as single_unit_law
from theory.diffusion._limit_laws import critical_angle_law as critical_angle_law
from theory.diffusion._limit_laws import (
    critical_difference_second_moment as critical_difference_second_moment,
)
from theory.diffusion._limit_laws import critical_log_difference_law as critical_log_difference_law
from theory.diffusion._limit_laws import critical_log_norm_law as critical_log_norm_law
from theory.diffusion._limit_laws import critical_mean_cosine as critical_mean_cosine
from theory.diffusion._mean_field import cosine_flow as cosine_flow
from theory.diffusion._mean_field import cosine_recursion as cosine_recursion
from theory.diffusion._mean_field import mean_square_flow as mean_square_flow
from theory.diffusion._mean_field import mean_square_recursion as mean_square_recursion
from theory.diffusion._mean_field import two_input_flow as two_input_flow
from theory.diffusion._mean_field_growth import MeanFieldGrowth as MeanFieldGrowth
from theory.diffusion._radial_diffusion import log_norm_diffusion_law as log_norm_diffusion_law
from theory.diffusion._spherical_angle import SphericalAngleLaw as SphericalAngleLaw
from theory.diffusion._wide_laws import wide_log_norm_laws as wide_log_norm_laws
from theory.independent._critical_bounds import critical_difference_bounds as critical_difference_bounds
from theory.independent._critical_bounds import critical_gradient_bounds as critical_gradient_bounds
from theory.independent._duality import DUAL_COLUMNS as DUAL_COLUMNS
from theory.independent._duality import dual_column as dual_column
from theory.independent._duality import gradient_duality as gradient_duality
from theory.independent._explosion import explosion_limit_probability as explosion_limit_probability
from theory.independent._explosion import explosion_log_mean as explosion_log_mean
from theory.independent._explosion import explosion_log_variance as explosion_log_variance
from theory.independent._explosion import explosion_probability as explosion_probability
from theory.independent._explosion import explosion_rate as explosion_rate
from theory.independent._gradient_moments import (
    gradient_difference_second_moment as gradient_difference_second_moment,
)
from theory.independent._gradient_moments import gradient_second_moment as gradient_second_moment
from theory.independent._gradient_moments import (
    log_gradient_difference_second_moment as log_gradient_difference_second_moment,
)
from theory.independent._gradient_moments import log_gradient_second_moment as log_gradient_second_moment
from theory.independent._identity import difference_markov_bound as difference_markov_bound
from theory.independent._identity import identity_bound as identity_bound
from theory.independent._identity import identity_limit_law as identity_limit_law
from theory.independent._identity import identity_quantile as identity_quantile
from theory.independent._second_moments import (
    hidden_difference_second_moment as hidden_difference_second_moment,
)
from theory.independent._second_moments import hidden_second_moment as hidden_second_moment
from theory.independent._second_moments import (
    log_hidden_difference_second_moment as log_hidden_difference_second_moment,
)
from theory.independent._second_moments import log_hidden_second_moment as log_hidden_second_moment
from theory.independent._second_moments import overlap_moment as overlap_moment
from theory.independent._second_moments import second_moment_bounds as second_moment_bounds
from theory.independent._weight_gradients import (
    log_weight_gradient_second_moment as log_weight_gradient_second_moment,
)
from theory.independent._weight_gradients import (
    weight_gradient_second_moment as weight_gradient_second_moment,
)
from theory.independent.exact_law._convergence_in_law import ConvergenceInLaw as ConvergenceInLaw
from theory.independent.exact_law._convergence_in_law import convergence_in_law as convergence_in_law
from theory.independent.exact_law._convergence_in_law import distances_to_limit as distances_to_limit
from theory.independent.exact_law._law import ExactNormLaw as ExactNormLaw
from theory.independent.exact_law._radial_moments import log_norm_moment as log_norm_moment
from theory.independent.exact_law._radial_moments import log_radial_moment as log_radial_moment
from theory.independent.exact_law._radial_moments import radial_moment as radial_moment
from theory.independent.exact_law._radial_variance import log_networks_for_mean as log_networks_for_mean
from theory.independent.exact_law._radial_variance import log_relative_variance as log_relative_variance
from theory.independent.exact_law._radial_variance import radial_variance as radial_variance
from theory.independent.exact_law._radial_variance import relative_variance as relative_variance
from theory.inputs._angle_diffusion import AngleDiffusion as AngleDiffusion
from theory.inputs._angle_diffusion import angle_diffusion as angle_diffusion
from theory.inputs._commuting_limits import CommutingError as CommutingError
from theory.inputs._commuting_limits import commuting_error as commuting_error
from theory.inputs._commuting_limits import commuting_error_expansion as commuting_error_expansion
from theory.inputs._cosine_law import cosine_diffusion_law as cosine_diffusion_law
from theory.inputs._gram import gram_covariance as gram_covariance
from theory.inputs._gram import gram_drift as gram_drift
from theory.inputs._terminal import terminal_angle_exponent as terminal_angle_exponent
from theory.inputs._terminal import terminal_angle_law as terminal_angle_law
from theory.jacobians._biane import wide_singular_value_law as wide_singular_value_law
from theory.jacobians._biane import wide_trace_moment as wide_trace_moment
from theory.jacobians._isotropic_duality import TANGENT_COLUMNS as TANGENT_COLUMNS
from theory.jacobians._isotropic_duality import isotropic_duality as isotropic_duality
from theory.jacobians._lyapunov import log_determinant_limit_law as log_determinant_limit_law
from theory.jacobians._lyapunov import lyapunov_exponents as lyapunov_exponents
from theory.jacobians._lyapunov import qr_diagonal_limit_law as qr_diagonal_limit_law
from theory.jacobians._tangent_kernel import log_tangent_kernel_mean as log_tangent_kernel_mean
from theory.jacobians._tangent_kernel import (
    log_tangent_kernel_second_moment as log_tangent_kernel_second_moment,
)
from theory.jacobians._tangent_kernel import tangent_kernel_variance_limit as tangent_kernel_variance_limit
from theory.jacobians._trace_moments import TraceMoments as TraceMoments
from theory.jacobians._trace_moments import log_trace_moments as log_trace_moments
from theory.jacobians._trace_moments import trace_moment_limit as trace_moment_limit
from theory.jacobians._volumes import log_volume_second_moment as log_volume_second_moment
from theory.jacobians._volumes import volume_second_moment as volume_second_moment
from theory.jacobians._wide_tangent_kernel import WideTangentKernel as WideTangentKernel
from theory.jacobians._wide_tangent_kernel import wide_tangent_kernel as wide_tangent_kernel
from theory.normalised._dyt import DytPath as DytPath
from theory.normalised._dyt import dyt_expansion as dyt_expansion
from theory.normalised._dyt import dyt_mean_square_expansion as dyt_mean_square_expansion
from theory.normalised._dyt import dyt_recursion as dyt_recursion
from theory.normalised._dyt import dyt_width_correction as dyt_width_correction
from theory.normalised._gradient_chain import PrenormGradients as PrenormGradients
from theory.normalised._gradient_chain import prenorm_gradient_chain as prenorm_gradient_chain
from theory.normalised._gradient_finite import gradient_mean_is_finite as gradient_mean_is_finite
from theory.normalised._gradient_finite import gradient_variance_is_finite as gradient_variance_is_finite
from theory.normalised._gradient_growth import prenorm_gradient_exponent as prenorm_gradient_exponent
from theory.normalised._gradient_growth import wide_prenorm_gradient as wide_prenorm_gradient
from theory.normalised._gradient_limit import prenorm_gradient_fourth_moment as prenorm_gradient_fourth_moment
from theory.normalised._gradient_limit import prenorm_gradient_limit as prenorm_gradient_limit
from theory.normalised._gradient_limit import (
    prenorm_weight_gradient_limit as prenorm_weight_gradient_limit,
)
from theory.normalised._panel_distribution import PanelDistribution as PanelDistribution
from theory.normalised._peri import peri_difference_variance as peri_difference_variance
from theory.normalised._peri import peri_gradient_limit as peri_gradient_limit
from theory.normalised._peri import peri_second_moment as peri_second_moment
from theory.normalised._peri import peri_slope as peri_slope
from theory.normalised._post_norm import mean_cosine as mean_cosine
from theory.normalised._post_norm import ngpt_mean_cosine as ngpt_mean_cosine
from theory.normalised._post_norm import postnorm_limit_law as postnorm_limit_law
from theory.normalised._post_norm import read_out_law as read_out_law
from theory.normalised._post_norm import wide_postnorm_gradient as wide_postnorm_gradient
from theory.normalised._post_norm_law import PostnormLaw as PostnormLaw
from theory.normalised._two_inputs import prenorm_cosine_recursion as prenorm_cosine_recursion
from theory.normalised._walk import NormalisedWalk as NormalisedWalk
from theory.normalised._walk_limit import walk_limit_distance as walk_limit_distance
from theory.normalised._walk_limit import walk_limit_law as walk_limit_law
from theory.normalised._walk_limit import walk_regime as walk_regime
from theory.post_activation._critical import PostActivationState as PostActivationState
from theory.post_activation._critical import activation_drift as activation_drift
from theory.post_activation._critical import post_activation_flow as post_activation_flow
from theory.post_activation._explosion import post_activation_law as post_activation_law
from theory.post_activation._explosion import post_activation_log_growth as post_activation_log_growth
from theory.post_activation._explosion import post_activation_rate as post_activation_rate
from theory.schedules._deepnorm import DeepNorm as DeepNorm
from theory.schedules._deepnorm import deepnorm as deepnorm
from theory.schedules._euler import euler_overlap as euler_overlap
from theory.schedules._euler import log_gradient_lower_bound as log_gradient_lower_bound
from theory.schedules._law import ScheduleNormLaw as ScheduleNormLaw
from theory.schedules._law import schedule_limit_law as schedule_limit_law
from theory.schedules._moments import gate_gradient_second_moment as gate_gradient_second_moment
from theory.schedules._moments import log_schedule_fourth_moment as log_schedule_fourth_moment
from theory.schedules._moments import log_schedule_second_moment as log_schedule_second_moment
from theory.schedules._moments import schedule_difference_second_moment as schedule_difference_second_moment
from theory.schedules._moments import schedule_second_moment as schedule_second_moment
from theory.schedules._moments import schedule_weight_gradients as schedule_weight_gradients
from theory.schedules._moments import value_scaling as value_scaling
from theory.schedules._one_matrix import VanillaExpansion as VanillaExpansion
from theory.schedules._one_matrix import balanced_fourth_moment as balanced_fourth_moment
from theory.schedules._one_matrix import log_gaussian_law as log_gaussian_law
from theory.schedules._one_matrix import vanilla_expansion as vanilla_expansion
from theory.smooth._ode import gronwall_bound as gronwall_bound
from theory.smooth._ode import log_gronwall_bound as log_gronwall_bound
from theory.smooth._ode import ode_identity_constant as ode_identity_constant
from theory.smooth._ode import ode_log_volume_deviation as ode_log_volume_deviation
from theory.smooth._smooth_covariance import matern_covariance as matern_covariance
from theory.smooth._smooth_covariance import rbf_covariance as rbf_covariance
from theory.smooth._smooth_covariance import rbf_derivative_covariance as rbf_derivative_covariance
from theory.smooth._smooth_covariance import rbf_increments_covariance as rbf_increments_covariance
from theory.tokens._attention import GramMeans as GramMeans
from theory.tokens._attention import attention_gram as attention_gram
from theory.tokens._attention import constant_attention_gram as constant_attention_gram
from theory.tokens._attention import uniform_attention_means as uniform_attention_means
from theory.tokens._cosine import token_cosine_flow as token_cosine_flow
from theory.tokens._cosine import token_cosine_recursion as token_cosine_recursion
from theory.tokens._criticality import TokenExponents as TokenExponents
from theory.tokens._criticality import mlp_slope as mlp_slope
from theory.tokens._criticality import token_exponents as token_exponents
from theory.tokens._layers import TokenAttention as TokenAttention
from theory.tokens._layers import TokenLayers as TokenLayers
from theory.tokens._layers import TokenMlp as TokenMlp
from theory.tokens._mean_token import mean_token_law as mean_token_law
from theory.tokens._mean_token import mean_token_limit_law as mean_token_limit_law
from theory.tokens._stream import postnorm_token_second_moment as postnorm_token_second_moment
from theory.tokens._stream import prenorm_token_bounds as prenorm_token_bounds
from theory.tokens._stream import prenorm_token_second_moment as prenorm_token_second_moment
from theory.tokens._wide import WideTokens as WideTokens
from theory.tokens._wide import wide_tokens as wide_tokens

if TYPE_CHECKING:
    from theory import catalogue as catalogue
else:

    def __getattr__(name):
        # `import theory` is enough for `theory.catalogue`, which takes its time only then.
        if name in ("catalogue",):
            return importlib.import_module(f"theory.{name}")
        raise AttributeError(f"module 'theory' has no attribute {name!r}")
