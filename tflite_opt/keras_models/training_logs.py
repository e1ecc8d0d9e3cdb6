# SPDX-License-Identifier: Apache-2.0
"""Logs of a training that TensorBoard shows."""

import pathlib
from collections.abc import Mapping
from typing import Any


def write_tensorboard(directory: pathlib.Path) -> Any:
    """Returns a callback that logs losses, metrics and the learning rate.

    Keras' own callback needs the package TensorBoard; this one writes the
    files without it.

    Args:
        directory: Of this training alone. One that goes on after an
            interruption adds a file.

    Returns:
        A `tf_keras` callback. It writes at the end of each epoch, whose number
        is the step, counted from 1.
    """
    import tensorflow as tf
    import tf_keras as keras

    kind = tf.compat.v1.SummaryMetadata(
        plugin_data=tf.compat.v1.SummaryMetadata.PluginData(
            plugin_name="scalars"
        ),
        # What TensorBoard calls DATA_CLASS_SCALAR.
        data_class=1,
    )

    class WriteTensorBoard(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            self._writer = tf.summary.create_file_writer(str(directory))

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            rate = self.model.optimizer.learning_rate.numpy()
            scalars: Mapping[str, Any] = {**logs, "learning_rate": rate}
            with self._writer.as_default(step=epoch + 1):
                for name, value in scalars.items():
                    tf.summary.write(
                        f"epoch_{name}", tf.cast(value, "float32"), None, kind
                    )
            self._writer.flush()

        def on_train_end(self, logs: Any = None) -> None:
            self._writer.close()

    return WriteTensorBoard()
