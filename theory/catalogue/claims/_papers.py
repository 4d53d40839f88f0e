"""The publications whose claims the catalogue holds against networks."""

from __future__ import annotations

from theory.catalogue.claims._claim import Paper

ALEKSEEV = Paper(
    "Alekseev",
    2026,
    "Subcritical Signal Propagation at Initialization in Normalization-Free Transformers",
    "2604.11890",
)
BACHLECHNER = Paper(
    "Bachlechner et al.", 2020, "ReZero is All You Need: Fast Convergence at Large Depth", "2003.04887"
)
CHIZAT = Paper(
    "Chizat", 2025, "The Hidden Width of Deep ResNets: Tight Error Bounds and Phase Diagrams", "2509.10167"
)
CHEN = Paper("Chen et al.", 2018, "Neural Ordinary Differential Equations", "1806.07366")
CHO_SAUL = Paper("Cho and Saul", 2009, "Kernel Methods for Deep Learning")
COHEN = Paper(
    "Cohen, Cont, Rossier and Xu", 2021, "Scaling Properties of Deep Residual Networks", "2105.12245"
)
DE_SMITH = Paper(
    "De and Smith",
    2020,
    "Batch Normalization Biases Residual Blocks Towards the Identity Function in Deep Networks",
    "2002.10444",
)
DONG = Paper(
    "Dong, Cordonnier and Loukas",
    2021,
    "Attention is Not All You Need: Pure Attention Loses Rank Doubly Exponentially with Depth",
    "2103.03404",
)
DOSHI = Paper(
    "Doshi, He and Gromov",
    2023,
    "Critical Initialization of Wide and Deep Neural Networks using Partial Jacobians: General Theory and "
    "Applications",
    "2111.12143",
)
GIORLANDINO = Paper(
    "Giorlandino and Goldt",
    2025,
    "Two failure modes of deep transformers and how to avoid them: a unified theory of signal propagation at "
    "initialisation",
    "2505.24333",
)
HANIN_NICA = Paper(
    "Hanin and Nica",
    2020,
    "Products of Many Large Random Matrices and Gradients in Deep Neural Networks",
    "1812.05994",
)
HANIN_NICA_KERNEL = Paper(
    "Hanin and Nica", 2020, "Finite Depth and Width Corrections to the Neural Tangent Kernel", "1909.05989"
)
HANIN_ROLNICK = Paper(
    "Hanin and Rolnick",
    2018,
    "How to Start Training: The Effect of Initialization and Architecture",
    "1803.01719",
)
HAYOU = Paper("Hayou", 2022, "On the infinite-depth limit of finite-width neural networks", "2210.00688")
HAYOU_COMMUTATIVE = Paper(
    "Hayou", 2023, "Commutative Width and Depth Scaling in Deep Neural Networks", "2310.01683"
)
HAYOU_YANG = Paper(
    "Hayou and Yang", 2023, "Width and Depth Limits Commute in Residual Networks", "2302.00453"
)
KEDIA = Paper(
    "Kedia et al.",
    2024,
    "Transformers Get Stable: An End-to-End Signal Propagation Theory for Language Models",
    "2403.09635",
)
KIM = Paper(
    "Kim et al.",
    2025,
    "Peri-LN: Revisiting Normalization Layer in the Transformer Architecture",
    "2502.02732",
)
KLOEDEN_PLATEN = Paper("Kloeden and Platen", 1992, "Numerical Solution of Stochastic Differential Equations")
LI_NICA_ROY = Paper(
    "Li, Nica and Roy",
    2021,
    "The future is log-Gaussian: ResNets and their infinite-depth-and-width limit at initialization",
    "2106.04013",
)
LI_NICA_ROY_COVARIANCE = Paper(
    "Li, Nica and Roy",
    2022,
    "The Neural Covariance SDE: Shaped Infinite Depth-and-Width Networks at Initialization",
    "2206.02768",
)
LOSHCHILOV = Paper(
    "Loshchilov et al.",
    2024,
    "nGPT: Normalized Transformer with Representation Learning on the Hypersphere",
    "2410.01131",
)
MFBV = Paper(
    "Marion, Fermanian, Biau and Vert", 2025, "Scaling ResNets in the Large-depth Regime", "2206.06929"
)
NEUENKIRCH_NOURDIN = Paper(
    "Neuenkirch and Nourdin",
    2007,
    "Exact rate of convergence of some approximation schemes associated to SDEs driven by a fractional "
    "Brownian motion",
    "math/0601038",
)
NEWMAN = Paper("Newman", 1986, "The distribution of Lyapunov exponents: Exact results for random matrices")
NOCI = Paper(
    "Noci et al.",
    2022,
    "Signal Propagation in Transformers: Theoretical Perspectives and the Role of Rank Collapse",
    "2206.03126",
)
PELUCHETTI = Paper(
    "Peluchetti and Favaro", 2020, "Infinitely deep neural networks as diffusion processes", "1905.11065"
)
PENNINGTON = Paper(
    "Pennington, Schoenholz and Ganguli",
    2018,
    "The Emergence of Spectral Universality in Deep Networks",
    "1802.09979",
)
STABLE_RESNET = Paper("Hayou et al.", 2021, "Stable ResNet", "2010.12859")
SUN = Paper("Sun et al.", 2025, "The Curse of Depth in Large Language Models", "2502.05795")
TARNOWSKI = Paper(
    "Tarnowski et al.",
    2019,
    "Dynamical Isometry is Achieved in Residual Networks in a Universal Way for any Activation Function",
    "1809.08848",
)
WANG = Paper("Wang et al.", 2022, "DeepNet: Scaling Transformers to 1,000 Layers", "2203.00555")
XIONG = Paper("Xiong et al.", 2020, "On Layer Normalization in the Transformer Architecture", "2002.04745")
YANG_SCHOENHOLZ = Paper(
    "Yang and Schoenholz", 2017, "Mean Field Residual Networks: On the Edge of Chaos", "1712.08969"
)
YAO = Paper(
    "Yao, Wu and Gao",
    2025,
    "Understanding Scaling Laws in Deep Neural Networks via Feature Learning Dynamics",
    "2512.21075",
)
ZHANG = Paper(
    "Zhang, Dauphin and Ma",
    2019,
    "Fixup Initialization: Residual Learning Without Normalization",
    "1901.09321",
)
