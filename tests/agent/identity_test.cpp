#include "agent/clock.hpp"
#include "agent/identity.hpp"

#include <doctest/doctest.h>

using namespace cpm::agent;
using std::chrono::milliseconds;

namespace {

Clocks clocks(milliseconds boottime, milliseconds suspended) {
    return {.boottime = boottime, .monotonic = boottime - suspended};
}

} // namespace

TEST_CASE("identity: a gain of CLOCK_BOOTTIME over 100 ms is one resume (1.1)") {
    ResumeCounter counter(clocks(milliseconds(5000), milliseconds(0)));
    CHECK(counter.look(clocks(milliseconds(6000), milliseconds(0))) == 0);
    CHECK(counter.look(clocks(milliseconds(7000), milliseconds(100))) == 0);
    CHECK(counter.look(clocks(milliseconds(9000), milliseconds(101))) == 1);
    CHECK(counter.look(clocks(milliseconds(9500), milliseconds(101))) == 1);
    CHECK(counter.look(clocks(milliseconds(99000), milliseconds(60000))) == 2);
}

TEST_CASE("identity: a suspend before the first look in a boot is no resume of this agent") {
    ResumeCounter counter(clocks(milliseconds(90000), milliseconds(60000)));
    CHECK(counter.look(clocks(milliseconds(91000), milliseconds(60000))) == 0);
}

TEST_CASE("identity: a resume while the agent did not run counts when it is back") {
    ResumeCounter counter(3, milliseconds(60000));
    CHECK(counter.look(clocks(milliseconds(99000), milliseconds(60050))) == 3);
    CHECK(counter.look(clocks(milliseconds(99000), milliseconds(65000))) == 4);
    CHECK(counter.suspended() == milliseconds(65000));
}

TEST_CASE("identity: the kernel tells the boot, and clocks that do not drift apart") {
    auto const boot_id = read_boot_id("/nonexistent");
    REQUIRE(boot_id.has_value());
    CHECK(boot_id->size() == 36);
    ResumeCounter counter(read_clocks());
    for (int i = 0; i < 1000; ++i)
        CHECK(counter.look(read_clocks()) == 0);
}
