"""The Gaussian engine: images of fresh Gaussian matrices instead of the matrices, d normals for d²
weights.
"""
