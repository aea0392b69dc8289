"""Matrix factorisation of ratings under squared errors, averaged over its posterior by Gibbs sampling."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse
from torch import Tensor

from graphrec.linalg.autograd import Product, normalised
from graphrec.linalg.csr import csr_tensor
from graphrec.models.mf.posterior import RatingPosterior
from graphrec.progress import Progress

#: Deviation of the vectors before the first sweep.
START = 0.3

#: Weight of the prior mean 0 of a side's centre, in vectors; Salakhutdinov and Mnih, ICML 2008, use 2.
CENTRE_WEIGHT = 2.0

#: Precision of the loadings of a side, in units of that of its vectors, before the first sweep.
FIRST_STRENGTH = 5.0

#: Conjugate gradients end at this relative residual; tighter ones gave the same errors for twice the time.
TOLERANCE, MOST_STEPS = 1e-2, 50

#: Sweeps from one kept draw to the next; keeping all of them gave the same errors for twice the memory.
EVERY = 2


@dataclass(frozen=True)
class Sampling:
    """dim: length of a vector. draws: kept ones; burn_in: sweeps before them. implicit: whether the prior mean of a
    vector depends on what was rated. freedom: of the users' noise; 0 gives all users the same."""

    dim: int
    draws: int
    burn_in: int
    implicit: bool
    freedom: float

    @property
    def sweeps(self) -> int:
        """How often all vectors are drawn."""
        return self.burn_in + EVERY * self.draws


class Noise:
    """Random numbers of one generator as tensors on one device."""

    def __init__(self, rng: np.random.Generator, device: torch.device) -> None:
        self.rng, self.device = rng, device

    def normal(self, *shape: int) -> Tensor:
        """Standard normal float32."""
        return torch.from_numpy(self.rng.standard_normal(shape, dtype=np.float32)).to(self.device)

    def gamma(self, shape: npt.NDArray[np.float64] | float, rate: npt.NDArray[np.float64] | float) -> Tensor:
        """Gamma numbers with mean shape / rate, float32."""
        drawn = np.asarray(self.rng.gamma(shape) / rate, dtype=np.float32)
        return torch.from_numpy(drawn).to(self.device)

    def wishart(self, freedom: float, scale: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """A Wishart matrix [k, k] with mean freedom · scale, by Bartlett's decomposition."""
        size = len(scale)
        lower = np.tril(self.rng.standard_normal((size, size)), -1)
        np.fill_diagonal(lower, np.sqrt(self.rng.chisquare(freedom - np.arange(size))))
        factor = np.linalg.cholesky(scale) @ lower
        return np.asarray(factor @ factor.T)


class Side:
    """The vectors of the users (or items) and their prior x ~ N(centre + link · loadings, precision⁻¹).

    link [n, m] holds 1/√(number of ratings) where a user rated an item: the implicit term of SVD++ (Koren, KDD 2008),
    on both sides. loadings ~ N(0, (strength · precision)⁻¹) have the prior of Simm et al., Macau, MLSP 2017.
    """

    def __init__(self, ratings: sparse.csr_array, sampling: Sampling, noise: Noise) -> None:
        pattern = sparse.csr_array((np.ones_like(ratings.data), ratings.indices, ratings.indptr), shape=ratings.shape)
        self.noise, self.sampling = noise, sampling
        self.degree = np.diff(ratings.indptr).astype(np.float64)
        self.pattern, self.ratings = (csr_tensor(matrix).to(noise.device) for matrix in (pattern, ratings))
        self.link = Product.of(normalised(pattern, 0.5, 0.0), noise.device) if sampling.implicit else None
        self.vectors = START * noise.normal(ratings.shape[0], sampling.dim)
        self.loadings = self.vectors.new_zeros(ratings.shape[1] if self.link else 0, sampling.dim)
        self.strength = FIRST_STRENGTH
        self.centre = self.vectors.new_zeros(sampling.dim)
        self.precision = torch.eye(sampling.dim, device=noise.device)

    def draw_prior(self) -> None:
        """Draw centre and precision (Salakhutdinov and Mnih, ICML 2008, eq. 14, with the loadings' part of Macau),
        then the loadings and their strength, given the vectors."""
        size, dim = self.vectors.shape
        own = (self.vectors - self._implicit()).double()
        mean = own.mean(0)
        scatter = (own - mean).T @ (own - mean) + torch.eye(dim, dtype=torch.float64, device=own.device)
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
        """What is expected of each vector before any rating is looked at, [n, dim]."""
        return self.centre + self._implicit()

    def conditional(self, other: Tensor, own_noise: Tensor, other_noise: Tensor) -> tuple[Tensor, Tensor]:
        """Means [n, dim] and lower Cholesky factors of the precisions [n, dim, dim] of the vectors, given those of the
        other side [m, dim]; the precision of rating (u, i) is own_noise[u] · other_noise[i].

        Salakhutdinov and Mnih, ICML 2008, eq. 11-13.
        """
        row, column = torch.tril_indices(*self.precision.shape, device=other.device)
        products = (other[:, row] * other[:, column]) * other_noise.unsqueeze(1)  # [m, dim (dim + 1) / 2]
        lower = (self.pattern @ products) * own_noise.unsqueeze(1)
        precisions = self.precision.repeat(len(lower), 1, 1)
        precisions[:, row, column] += lower  # Cholesky reads the lower triangle only
        right = (self.ratings @ (other * other_noise.unsqueeze(1))) * own_noise.unsqueeze(1)
        right += self.prior_mean() @ self.precision
        factors = torch.linalg.cholesky(precisions)
        return torch.cholesky_solve(right.unsqueeze(2), factors).squeeze(2), factors

    def draw(self, other: Tensor, own_noise: Tensor, other_noise: Tensor) -> Tensor:
        """Draw the vectors from their conditional, and give its means [n, dim]."""
        mean, factors = self.conditional(other, own_noise, other_noise)
        normal = self.noise.normal(*mean.shape, 1)
        self.vectors = mean + torch.linalg.solve_triangular(factors.mT, normal, upper=True).squeeze(2)
        return mean

    def _implicit(self) -> Tensor:
        return torch.zeros_like(self.vectors) if self.link is None else self.link @ self.loadings

    def _draw_loadings(self, link: Product, deviation: Tensor) -> None:
        """An exact draw by solving a system with noise in its right side (Macau)."""
        own = self.vectors - self.centre + self.noise.normal(*self.vectors.shape) @ deviation.T
        free = self.noise.normal(*self.loadings.shape) @ deviation.T
        right = link.transposed @ own + math.sqrt(self.strength) * free
        self.loadings = ridge_solution(link, self.strength, right, self.loadings)
        squares = float(((self.loadings @ self.precision) * self.loadings).sum())
        self.strength = float(self.noise.gamma((self.loadings.numel() + 2) / 2, (squares + 2) / 2))


def ridge_solution(link: Product, ridge: float, right: Tensor, start: Tensor) -> Tensor:
    """x [m, k] with (linkᵀ link + ridge · I) x = right, by conjugate gradients from `start`, to TOLERANCE."""
    x = start
    residual = right - (link.transposed @ (link.matrix @ x) + ridge * x)
    direction, square = residual, residual.square().sum(0)
    goal = TOLERANCE**2 * right.square().sum(0)
    for _ in range(MOST_STEPS):
        if bool((square <= goal).all()):
            break
        image = link.transposed @ (link.matrix @ direction) + ridge * direction
        step = square / (direction * image).sum(0).clamp(min=1e-30)  # a column that is solved stays
        x, residual = x + step * direction, residual - step * image
        before, square = square, residual.square().sum(0)
        direction = residual + square / before.clamp(min=1e-30) * direction
    return x


def sample(
    ratings: sparse.csr_array,
    bounds: tuple[float, float],
    sampling: Sampling,
    noise: Noise,
    progress: Progress | None = None,
) -> RatingPosterior:
    """The posterior of a factorisation of ratings [num_users, num_items] within `bounds`, stored entries only.

    r_ui ~ N(mean + x_u · y_i, 1 / (a · w_u)): squared errors, with the precision a of all ratings learned, and a weight
    w_u ~ Gamma(freedom/2, freedom/2) of each user, so that who rates at random counts less (Lakshminarayanan et al.,
    AISTATS 2011, for users only). A draw keeps the conditional mean of a user instead of the drawn vector, which has
    the same expectation and less variance; users and items without ratings keep their prior means.
    """
    mean = float(ratings.data.mean())
    centred = sparse.csr_array((ratings.data - np.float32(mean), ratings.indices, ratings.indptr), shape=ratings.shape)
    users, items = Side(centred, sampling, noise), Side(sparse.csr_array(centred.T.tocsr()), sampling, noise)
    errors = _Errors(centred, noise.device)
    weights = torch.ones(ratings.shape[0], device=noise.device)
    even = torch.ones(ratings.shape[1], device=noise.device)
    unrated = torch.from_numpy(items.degree == 0).to(noise.device).unsqueeze(1)
    precision = 1.0 / max(float(centred.data.var()), 1e-6)
    kept: list[dict[str, Tensor]] = []
    for sweep in range(sampling.sweeps):
        if sweep:
            squares = errors.of_users(users.vectors, items.vectors)  # [num_users]
            precision = float(noise.gamma((ratings.nnz + 2) / 2, (float(squares @ weights) + 2) / 2))
            if sampling.freedom:
                rate = (sampling.freedom + precision * squares.double().cpu().numpy()) / 2
                weights = noise.gamma((users.degree + sampling.freedom) / 2, rate)
        items.draw_prior()
        items.draw(users.vectors, even, precision * weights)
        users.draw_prior()
        expected = users.draw(items.vectors, precision * weights, even)
        if sweep >= sampling.burn_in and (sweep - sampling.burn_in) % EVERY == EVERY - 1:
            known = torch.where(unrated, items.centre, items.vectors)
            kept.append(_draw_of(users, expected, known, precision))
        if progress is not None:
            progress(sweep + 1, sampling.sweeps)
    stacked = {name: torch.stack([draw[name] for draw in kept], dim=1) for name in kept[0]}
    return RatingPosterior(**stacked, span=torch.tensor([mean, *bounds], device=noise.device), freedom=sampling.freedom)


def _draw_of(users: Side, expected: Tensor, items: Tensor, precision: float) -> dict[str, Tensor]:
    """What a RatingPosterior keeps of one draw."""
    return {
        "users": expected,
        "items": items,
        "loadings": users.loadings,
        "centre": users.centre.unsqueeze(0),
        "spread": users.precision,
        "sharpness": torch.tensor([precision], device=items.device),
    }


class _Errors:
    """The entries of a matrix as tensors, to compare products of vectors with them."""

    def __init__(self, matrix: sparse.csr_array, device: torch.device) -> None:
        rows = np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))
        arrays = (rows, matrix.indices.astype(np.int64), matrix.data)
        self.user, self.item, self.rating = (torch.from_numpy(array).to(device) for array in arrays)

    def of_users(self, users: Tensor, items: Tensor) -> Tensor:
        """The sum of squared errors of each user, [num_users]."""
        errors = self.rating - (users[self.user] * items[self.item]).sum(1)
        return torch.zeros(len(users), device=users.device).index_add_(0, self.user, errors.square())
