# SPDX-License-Identifier: Apache-2.0
"""Makes the weights of a kernel share few values, and trains them so.

Kernels change where they are, without wrapping layers: whatever Keras can
train can be clustered, convolutions without bias included, for each channel or
for the whole kernel.
"""
