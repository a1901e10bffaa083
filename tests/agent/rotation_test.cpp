// When the agent asks for a new token (HTTP 3.3).
#include "agent/rotation.hpp"

#include <doctest/doctest.h>

using cpm::agent::Rotation;
using cpm::agent::seconds;
using namespace std::chrono_literals;

namespace {

constexpr seconds kGot{1'795'000'000};
constexpr seconds kDay = 24h;

} // namespace

TEST_CASE("rotation: a month after the token was got, and its own part of a week later (3.3)") {
    Rotation const rotation(kGot, 2 * kDay);
    CHECK_FALSE(rotation.is_due(kGot, 0us, false));
    CHECK_FALSE(rotation.is_due(kGot + 32 * kDay - 1s, 0us, false));
    CHECK(rotation.is_due(kGot + 32 * kDay, 0us, false));
}

TEST_CASE("rotation: when nothing is known of the token's age, and when only the other counts (3.3)"
) {
    CHECK(Rotation(0s, 0s).is_due(kGot, 0us, false));
    CHECK(Rotation(kGot + 365 * kDay, 0s).is_due(kGot, 0us, false)); // got under a wrong clock
    CHECK_FALSE(Rotation(kGot + kDay, 0s).is_due(kGot, 0us, false)); // set back by a little
    CHECK(Rotation(kGot, 0s).is_due(kGot, 0us, true));
}

TEST_CASE("rotation: not again within an hour of an attempt (3.3)") {
    Rotation rotation(kGot, 0s);
    rotation.attempted(10s);
    CHECK_FALSE(rotation.is_due(kGot + 40 * kDay, 10s + 1h - 1us, true));
    CHECK(rotation.is_due(kGot + 40 * kDay, 10s + 1h, false));
    rotation.succeeded(kGot + 40 * kDay);
    CHECK_FALSE(rotation.is_due(kGot + 40 * kDay, 10s + 1h, false));
}
