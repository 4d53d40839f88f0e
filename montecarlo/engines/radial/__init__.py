"""The radial engine: res-3 and linear res-1 with Gaussian weights, a handful of numbers a layer at any
width.
"""
