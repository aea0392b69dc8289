"""Gibbs sampling of the posterior of a matrix factorisation of ratings."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from graphrec.linalg.autograd import Product, normalise_sums
from graphrec.linalg.csr import csr_tensor
from graphrec.models.mf.posterior import RatingPosterior
from graphrec.progress import Progress

#: Standard deviation of the initial vectors.
INIT_STD = 0.3

#: β₀, weight of the prior mean 0 of a centre in number of vectors; Salakhutdinov and Mnih, ICML 2008, use 2.
CENTRE_WEIGHT = 2.0

#: Initial precision of the loadings, in units of the precision of the vectors.
INIT_STRENGTH = 5.0

#: Relative residual at which conjugate gradients end (smaller ones gave the same errors in twice the time), and maximum
#: number of steps.
TOLERANCE, MAX_STEPS = 1e-2, 50

#: Thinning: number of sweeps per stored draw; storing every sweep gave the same errors with twice the memory.
THINNING = 2


@dataclass(frozen=True)
class GibbsConfig:
    """Settings of the sampler.

    dim: length of the vectors.
    draws: number of stored draws.
    burn_in: number of sweeps before the first draw.
    implicit: whether the prior mean of a vector depends on which pairs were rated.
    freedom: ν, degrees of freedom of the users' noise weights; 0 gives all users the same noise.
    """

    dim: int
    draws: int
    burn_in: int
    implicit: bool
    freedom: float

    @property
    def sweeps(self) -> int:
        """Number of sweeps; each draws all vectors once."""
        return self.burn_in + THINNING * self.draws


class Noise:
    """Random tensors on a device, drawn from one generator."""

    def __init__(self, rng: np.random.Generator, device: torch.device) -> None:
        self.rng, self.device = rng, device

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers of a shape, float32."""
        return torch.from_numpy(self.rng.standard_normal(shape, dtype=np.float32)).to(self.device)

    def gamma(self, shape: npt.NDArray[np.float64] | float, rate: npt.NDArray[np.float64] | float) -> Tensor:
        """Gamma distributed numbers with mean shape / rate, float32."""
        drawn = np.asarray(self.rng.gamma(shape) / rate, dtype=np.float32)
        return torch.from_numpy(drawn).to(self.device)

    def wishart(self, freedom: float, scale: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """A Wishart distributed matrix [k, k] with mean freedom · scale, by the Bartlett decomposition."""
        size = len(scale)
        lower = np.tril(self.rng.standard_normal((size, size)), -1)
        np.fill_diagonal(lower, np.sqrt(self.rng.chisquare(freedom - np.arange(size))))
        factor = np.linalg.cholesky(scale) @ lower
        return np.asarray(factor @ factor.T)


class Side:
    """The vectors x [n, dim] of all users or all items, with the prior x ~ N(centre + link · loadings, precision⁻¹).

    link: [n, m], 1/√(number of ratings of the row) at each rating: the implicit term of SVD++ (Koren, KDD 2008).
    loadings: [m, dim] ~ N(0, (strength · precision)⁻¹), the prior of Macau (Simm et al., MLSP 2017).
    centre: prior mean without the implicit term, [dim].
    precision: prior precision of a vector, [dim, dim].
    strength: precision of the loadings in units of `precision`.
    pattern, ratings: ones, and ratings minus their mean, at the rated pairs, [n, m].
    degree: number of ratings, [n].
    """

    def __init__(self, ratings: sparse.csr_array, config: GibbsConfig, noise: Noise) -> None:
        pattern = sparse.csr_array((np.ones_like(ratings.data), ratings.indices, ratings.indptr), shape=ratings.shape)
        self.noise = noise
        self.degree = np.diff(ratings.indptr).astype(np.float64)
        self.pattern, self.ratings = (csr_tensor(matrix).to(noise.device) for matrix in (pattern, ratings))
        self.link = Product.of(normalise_sums(pattern, 0.5, 0.0), noise.device) if config.implicit else None
        self.vectors = INIT_STD * noise.normal(ratings.shape[0], config.dim)
        self.loadings = self.vectors.new_zeros(ratings.shape[1] if self.link else 0, config.dim)
        self.strength = INIT_STRENGTH
        self.centre = self.vectors.new_zeros(config.dim)
        self.precision = torch.eye(config.dim, device=noise.device)

    def draw_prior(self) -> None:
        """Draw centre and precision (Salakhutdinov and Mnih, ICML 2008, eq. 14, with the term of Macau for loadings),
        then the loadings and their strength, given the vectors."""
        size, dim = self.vectors.shape
        residual = (self.vectors - self._implicit_term()).double()
        mean = residual.mean(0)
        scatter = (residual - mean).T @ (residual - mean) + torch.eye(dim, dtype=torch.float64, device=residual.device)
        scatter += size * CENTRE_WEIGHT / (size + CENTRE_WEIGHT) * torch.outer(mean, mean)
        scatter += self.strength * (self.loadings.T @ self.loadings).double()
        inverse = np.linalg.inv(scatter.cpu().numpy())
        precision = self.noise.wishart(dim + size + len(self.loadings), (inverse + inverse.T) / 2)
        root = np.linalg.cholesky(np.linalg.inv(precision))  # of the covariance
        centre = mean.cpu().numpy() * size / (size + CENTRE_WEIGHT)
        centre += root @ self.noise.rng.standard_normal(dim) / math.sqrt(size + CENTRE_WEIGHT)
        device = self.vectors.device
        self.precision, self.centre, deviation = (
            torch.from_numpy(array.astype(np.float32)).to(device) for array in (precision, centre, root)
        )
        if self.link is not None:
            self._draw_loadings(self.link, deviation)

    def prior_mean(self) -> Tensor:
        """The prior mean of each vector, [n, dim]."""
        return self.centre + self._implicit_term()

    def compute_conditional(self, other: Tensor, own_noise: Tensor, other_noise: Tensor) -> tuple[Tensor, Tensor]:
        """Means [n, dim] and lower Cholesky factors [n, dim, dim] of the precisions of the conditional distributions of
        the vectors, given the vectors `other` [m, dim] of the other side.

        Salakhutdinov and Mnih, ICML 2008, eq. 11-13; the precision of rating (r, c) is own_noise[r] · other_noise[c].
        """
        row, column = torch.tril_indices(*self.precision.shape, device=other.device)
        products = (other[:, row] * other[:, column]) * other_noise.unsqueeze(1)  # [m, dim (dim + 1) / 2]
        lower = (self.pattern @ products) * own_noise.unsqueeze(1)
        precisions = self.precision.repeat(len(lower), 1, 1)
        precisions[:, row, column] += lower  # Cholesky reads the lower triangles only
        right = (self.ratings @ (other * other_noise.unsqueeze(1))) * own_noise.unsqueeze(1)
        right += self.prior_mean() @ self.precision
        factors = torch.linalg.cholesky(precisions)
        return torch.cholesky_solve(right.unsqueeze(2), factors).squeeze(2), factors

    def draw(self, other: Tensor, own_noise: Tensor, other_noise: Tensor) -> Tensor:
        """Draw the vectors from their conditional distributions, and return the means of these, [n, dim]."""
        mean, factors = self.compute_conditional(other, own_noise, other_noise)
        normal = self.noise.normal(*mean.shape, 1)
        self.vectors = mean + torch.linalg.solve_triangular(factors.mT, normal, upper=True).squeeze(2)
        return mean

    def _implicit_term(self) -> Tensor:
        return torch.zeros_like(self.vectors) if self.link is None else self.link @ self.loadings

    def _draw_loadings(self, link: Product, deviation: Tensor) -> None:
        """Draw the loadings, by solving a linear system with noise on its right side (Macau), and their strength."""
        residual = self.vectors - self.centre + self.noise.normal(*self.vectors.shape) @ deviation.T
        loading_noise = self.noise.normal(*self.loadings.shape) @ deviation.T
        right = link.transposed @ residual + math.sqrt(self.strength) * loading_noise
        self.loadings = solve_ridge(link, self.strength, right, self.loadings)
        squares = float(((self.loadings @ self.precision) * self.loadings).sum())
        self.strength = float(self.noise.gamma((self.loadings.numel() + 2) / 2, (squares + 2) / 2))


def solve_ridge(link: Product, ridge: float, right: Tensor, start: Tensor) -> Tensor:
    """x [m, k] with (linkᵀ link + ridge · I) x = right, by conjugate gradients from `start` up to TOLERANCE."""
    x = start
    residual = right - (link.transposed @ (link.matrix @ x) + ridge * x)
    direction, square = residual, residual.square().sum(0)
    goal = TOLERANCE**2 * right.square().sum(0)
    for _ in range(MAX_STEPS):
        if bool((square <= goal).all()):
            break
        image = link.transposed @ (link.matrix @ direction) + ridge * direction
        step = square / (direction * image).sum(0).clamp(min=1e-30)  # a solved column keeps its value
        x, residual = x + step * direction, residual - step * image
        before, square = square, residual.square().sum(0)
        direction = residual + square / before.clamp(min=1e-30) * direction
    return x


def sample_posterior(
    ratings: sparse.csr_array,
    bounds: tuple[float, float],
    config: GibbsConfig,
    noise: Noise,
    progress: Progress | None = None,
) -> RatingPosterior:
    """The posterior of a factorisation of the stored entries of ratings [num_users, num_items].

    r_ui ~ N(m + x_u · y_i, 1 / (a w_u)) with the mean rating m, a precision a of all ratings, which is drawn too, and a
    weight w_u ~ Gamma(ν/2, ν/2) of each user, which is small for users who rate at random (Lakshminarayanan et al.,
    AISTATS 2011, for users only). A draw stores the conditional mean of a user's vector instead of the vector: it has
    the same expectation and less variance. Users and items without ratings have their prior means.

    `bounds` are the lowest and the highest rating; predictions are clipped to them.
    """
    mean = float(ratings.data.mean())
    centred = sparse.csr_array((ratings.data - np.float32(mean), ratings.indices, ratings.indptr), shape=ratings.shape)
    users, items = Side(centred, config, noise), Side(sparse.csr_array(centred.T.tocsr()), config, noise)
    errors = _Errors(centred, noise.device)
    weights = torch.ones(ratings.shape[0], device=noise.device)
    ones = torch.ones(ratings.shape[1], device=noise.device)
    unrated = torch.from_numpy(items.degree == 0).to(noise.device).unsqueeze(1)
    precision = 1.0 / max(float(centred.data.var()), 1e-6)
    draws: list[dict[str, Tensor]] = []
    for sweep in range(config.sweeps):
        if sweep:
            squares = errors.sum_by_user(users.vectors, items.vectors)  # [num_users]
            precision = float(noise.gamma((ratings.nnz + 2) / 2, (float(squares @ weights) + 2) / 2))
            if config.freedom:
                rate = (config.freedom + precision * squares.double().cpu().numpy()) / 2
                weights = noise.gamma((users.degree + config.freedom) / 2, rate)
        items.draw_prior()
        items.draw(users.vectors, ones, precision * weights)
        users.draw_prior()
        user_means = users.draw(items.vectors, precision * weights, ones)
        if sweep >= config.burn_in and (sweep - config.burn_in) % THINNING == THINNING - 1:
            item_vectors = torch.where(unrated, items.centre, items.vectors)
            draws.append(_pack_draw(users, user_means, item_vectors, precision))
        if progress is not None:
            progress(sweep + 1, config.sweeps)
    stacked = {name: torch.stack([draw[name] for draw in draws], dim=1) for name in draws[0]}
    return RatingPosterior(**stacked, span=torch.tensor([mean, *bounds], device=noise.device), freedom=config.freedom)


def _pack_draw(users: Side, user_means: Tensor, items: Tensor, precision: float) -> dict[str, Tensor]:
    """One draw as the tensors of a RatingPosterior."""
    return {
        "users": user_means,
        "items": items,
        "loadings": users.loadings,
        "centre": users.centre.unsqueeze(0),
        "spread": users.precision,
        "sharpness": torch.tensor([precision], device=items.device),
    }


class _Errors:
    """The ratings of a matrix as tensors, for the errors of predictions."""

    def __init__(self, matrix: sparse.csr_array, device: torch.device) -> None:
        rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
        arrays = (rows, matrix.indices.astype(np.int64), matrix.data)
        self.user, self.item, self.rating = (torch.from_numpy(array).to(device) for array in arrays)

    def sum_by_user(self, users: Tensor, items: Tensor) -> Tensor:
        """The sum of squared errors of each user, [num_users]."""
        errors = self.rating - (users[self.user] * items[self.item]).sum(1)
        return torch.zeros(len(users), device=users.device).index_add_(0, self.user, errors.square())
