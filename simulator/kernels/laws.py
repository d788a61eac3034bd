"""Inverse cumulative functions of the laws that have no simpler form.

Those named ``..._in_place`` take uniforms in (0, 1) and overwrite them with the values drawn.
Only scalar functions of `math` are called, so that a value depends neither on its place in the
array nor on whether the kernels are compiled.
"""

import math

from simulator.kernels.compile import kernel

STEEPEST = 700.0
"""Exponents are cut here, so that exp() stays finite."""

# Coefficients of AS 241, PPND16, the highest power first.
CENTRE_TOP = (
    2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
    4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
    1.3314166789178437745e2, 3.3871328727963666080e0,
)  # fmt: skip
CENTRE_LOW = (
    5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
    2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
    4.2313330701600911252e1, 1.0,
)  # fmt: skip
SIDE_TOP = (
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
    1.27045825245236838258e0, 3.64784832476320460504e0, 5.76949722146069140550e0,
    4.63033784615654529590e0, 1.42343711074968357734e0,
)  # fmt: skip
SIDE_LOW = (
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
    1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
    2.05319162663775882187e0, 1.0,
)  # fmt: skip
TAIL_TOP = (
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3,
    2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580e0,
    5.46378491116411436990e0, 6.65790464350110377720e0,
)  # fmt: skip
TAIL_LOW = (
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5,
    7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1,
    5.99832206555887937690e-1, 1.0,
)  # fmt: skip


@kernel
def ratio(top, low, x):
    """Return the quotient of two polynomials of degree 7, coefficients highest power first."""
    above = top[0]
    below = low[0]
    for k in range(1, 8):
        above = above * x + top[k]
        below = below * x + low[k]
    return above / below


@kernel
def normal_quantile(share) -> float:
    """Return the standard normal quantile of `share`, in (0, 1), to about 1e-15 relative.

    Algorithm AS 241, PPND16: M. J. Wichura, "The percentage points of the normal distribution",
    Applied Statistics 37 (1988), 477-484.
    """
    offset = share - 0.5
    if abs(offset) <= 0.425:
        return offset * ratio(CENTRE_TOP, CENTRE_LOW, 0.180625 - offset * offset)
    distance = math.sqrt(-math.log(share if offset < 0.0 else 1.0 - share))
    if distance <= 5.0:
        z = ratio(SIDE_TOP, SIDE_LOW, distance - 1.6)
    else:
        z = ratio(TAIL_TOP, TAIL_LOW, distance - 5.0)
    return z if offset > 0.0 else -z


@kernel
def lognormal_in_place(values, median, sigma) -> None:
    """Overwrite uniforms by lognormal quantiles, median exp(sigma z)."""
    for i in range(len(values)):
        values[i] = median * math.exp(min(sigma * normal_quantile(values[i]), STEEPEST))


@kernel
def exponential_in_place(values, mean) -> None:
    """Overwrite uniforms by exponential quantiles, -mean ln(1 - u)."""
    for i in range(len(values)):
        values[i] = -mean * math.log1p(-values[i])


@kernel
def weibull_in_place(values, shape, scale) -> None:
    """Overwrite uniforms by Weibull quantiles, scale (-ln(1 - u))^(1/shape)."""
    power = 1.0 / shape
    for i in range(len(values)):
        values[i] = scale * (-math.log1p(-values[i])) ** power
