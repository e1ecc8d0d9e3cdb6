# SPDX-License-Identifier: Apache-2.0
import pytest

from tests.emulated_device import climate


def test_work_heats_and_rest_cools_to_the_air():
    found = climate.Climate(
        celsius=27.0, heating_celsius_per_s=1.0, cooling_s=10.0
    )
    for _ in range(100):
        found.advance(0.1, num_computing=1)
    hot = found.celsius
    assert 32 < hot < 35
    found.advance(10.0, num_computing=0)
    assert found.celsius - 27 == pytest.approx((hot - 27) / 2.71828, rel=1e-3)


@pytest.mark.parametrize(
    ("celsius", "status", "left"),
    [(30.0, 0, 1.0), (39.0, 1, 0.9), (44.0, 2, 0.7), (60.0, 4, 0.35)],
)
def test_a_hot_phone_lowers_its_clocks(celsius, status, left):
    found = climate.Climate(celsius=celsius)
    assert found.status == status
    assert found.clock_fraction(status) == left
