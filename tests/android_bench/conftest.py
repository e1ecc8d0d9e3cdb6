# SPDX-License-Identifier: Apache-2.0
from tests.emulated_device.fixtures import (  # noqa: F401
    adb,
    make_phones,
    phone,
    phones,
)
