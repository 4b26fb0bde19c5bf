#!/usr/bin/env python3
"""Prints the numbers that Tests/StatisticsTests holds the statistics against.

Needs SciPy. Where SciPy has no exact p-value (ties), or no such test (Mann-Kendall), the figure comes from
enumerating every choice of signs, every choice of a side, or every order.

    python3 scripts/statistics_golden.py
"""
import itertools
import math

from scipy import stats

RANK_SUM = {
    "permeability": (
        [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46],
        [1.15, 0.88, 0.90, 0.74, 1.21],
    ),
    "separate": ([1, 2, 3], [4, 5, 6, 7]),
    "one against two": ([2], [1, 3]),
    "one against one": ([1], [2]),
    "ties": ([1, 2, 2, 3, 5, 5, 8], [2, 4, 5, 6, 8, 9]),
    "ties, each side of one value": ([1, 1, 1], [2, 2, 2]),
    "ties, skewed": ([1, 1, 1, 1, 2], [1, 1, 3, 4]),
    "all equal": ([7, 7, 7], [7, 7]),
    "unequal sizes": ([200.5, 3.5, 180.5], list(range(1, 201))),
    "fifty": ([(i * 37) % 101 for i in range(1, 51)], [(i * 37) % 101 + 7.5 for i in range(51, 101)]),
    "sixty": ([(i * 53) % 127 for i in range(1, 61)], [(i * 53) % 127 + 9.5 for i in range(61, 121)]),
    "sixty, ties": ([(i * 53) % 31 for i in range(1, 61)], [(i * 53) % 31 + 4 for i in range(61, 121)]),
}

DEPRESSION_BEFORE = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
DEPRESSION_AFTER = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]

SIGNED_RANK = {
    "depression": [after - before for before, after in zip(DEPRESSION_BEFORE, DEPRESSION_AFTER)],
    "maize": [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48],
    "one": [3],
    "two": [1, -2],
    "three": [1, 2, 3],
    "ties": [1, -1, 2, 2, 3, -3, 4, 5, 5, 5],
    "ties and zeros": [0, 0, 1, -1, 2, 2, 3, 0, 4, 5, 5, -6],
    "equal magnitudes": [2, 2, 2, -2, 2, 2],
    "sixty": [(i * 37) % 61 - 24.25 for i in range(1, 61)],
    "two hundred": [(i * 37) % 211 - 90.25 for i in range(1, 201)],
    "two hundred, ties": [(i * 37) % 23 - 9 for i in range(1, 201)],
}

SERIES = {
    "rising": [1.0, 1.2, 1.1, 1.5, 1.4, 1.9, 2.0],
    "ties": [3, 1, 2, 2, 3, 4, 4, 4],
    "falling": [5, 4, 3],
    "flat": [2, 2, 2, 2],
    "noise": [0.3, -1.2, 2.2, 0.7, -0.4, 1.1, 0.2, -0.9],
}

P_VALUES = [0.012, 0.4, 0.001, 0.012, 0.03, 0.9, 0.2, 0.006]


def tails(values, observed):
    below = sum(value <= observed for value in values) / len(values)
    above = sum(value >= observed for value in values) / len(values)
    return min(1, 2 * min(below, above))


def rank_sum(a, b):
    pooled = list(a) + list(b)
    u = stats.mannwhitneyu(a, b).statistic
    asymptotic = stats.mannwhitneyu(a, b, method="asymptotic").pvalue if len(set(pooled)) > 1 else 1
    exact = None
    if len(set(pooled)) == len(pooled):
        exact = stats.mannwhitneyu(a, b, method="exact").pvalue
    elif math.comb(len(pooled), len(a)) < 100_000:
        ranks = [2 * rank for rank in stats.rankdata(pooled)]
        sums = [sum(chosen) for chosen in itertools.combinations(ranks, len(a))]
        exact = tails(sums, sum(ranks[: len(a)]))
    return u, exact, asymptotic


def signed_rank(differences):
    kept = [d for d in differences if d != 0]
    ranks = stats.rankdata([abs(d) for d in kept])
    statistic = sum(rank for rank, d in zip(ranks, kept) if d > 0)
    exact = None
    if len(set(ranks)) == len(ranks) and len(kept) <= 60:
        exact = stats.wilcoxon(kept, method="exact").pvalue
    elif len(kept) <= 15:
        signs = itertools.product([0, 1], repeat=len(kept))
        exact = tails([sum(r for r, s in zip(ranks, sign) if s) for sign in signs], statistic)
    asymptotic = stats.wilcoxon(kept, method="asymptotic", correction=True).pvalue if len(kept) > 1 else None
    return statistic, exact, asymptotic


def walsh_interval(differences, confidence):
    """The shifts that the exact test does not reject, counted in whole numbers."""
    averages = sorted((a + b) / 2 for a, b in itertools.combinations_with_replacement(differences, 2))
    n = len(differences)
    middle = len(averages) // 2
    estimate = averages[middle] if len(averages) % 2 else (averages[middle - 1] + averages[middle]) / 2
    counts = [0] * (n * (n + 1) // 2 + 1)
    counts[0] = 1
    for rank in range(1, n + 1):
        for total in range(len(counts) - 1, rank - 1, -1):
            counts[total] += counts[total - rank]
    outside, cumulative = -1, 0
    while 2 * (cumulative + counts[outside + 1]) <= (1 - confidence) * 2**n:
        outside += 1
        cumulative += counts[outside]
    if outside < 0:
        return estimate, None
    return estimate, (averages[outside], averages[-1 - outside]), 1 - 2 * cumulative / 2**n


def score(series):
    return sum((b > a) - (b < a) for a, b in itertools.combinations(series, 2))


def trend(series):
    scores = [score(order) for order in itertools.permutations(series)]
    variance = sum(s * s for s in scores) / len(scores)
    z = (abs(score(series)) - 1) / math.sqrt(variance) if variance else -math.inf
    return stats.theilslopes(series)[0], min(1, 2 * stats.norm.sf(z))


def holm(p_values):
    """Every p-value against every subset that contains it: closed testing with Bonferroni's test."""
    indices = range(len(p_values))
    subsets = [s for size in range(1, len(p_values) + 1) for s in itertools.combinations(indices, size)]
    return [
        max(min(1, len(s) * min(p_values[j] for j in s)) for s in subsets if index in s) for index in indices
    ]


def main():
    for name, (a, b) in RANK_SUM.items():
        print("rank sum:", name, *rank_sum(a, b))
    for name, differences in SIGNED_RANK.items():
        print("signed rank:", name, *signed_rank(differences))
    for name in ["depression", "maize", "three", "ties", "sixty", "two hundred"]:
        for confidence in [0.95, 0.975, 0.99]:
            print("hodges-lehmann:", name, confidence, *walsh_interval(SIGNED_RANK[name], confidence))
    for name, series in SERIES.items():
        print("trend:", name, *trend(series))
    print("holm:", *holm(P_VALUES))


if __name__ == "__main__":
    main()
