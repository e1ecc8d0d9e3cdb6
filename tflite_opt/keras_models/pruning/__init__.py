# SPDX-License-Identifier: Apache-2.0
"""Sets weights of a Keras model to zero and keeps them there in training.

Kernels are masked where they are, without wrapping layers, so every model that
Keras can train can be pruned. The schedules are those of TF-MOT.
"""
