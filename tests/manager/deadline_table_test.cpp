// The table of deadlines: at most one of each kind a server.
#include "manager/deadlines.hpp"

#include <doctest/doctest.h>

using namespace cpm;
using manager::DeadlineKind;
using manager::Deadlines;
using manager::Due;
using namespace std::chrono_literals;

namespace {

constexpr core::ServerId kA{1};
constexpr core::ServerId kB{2};
constexpr core::Sequence kOne{1};
constexpr core::Sequence kTwo{2};

core::MonoTime at(std::chrono::nanoseconds time) {
    return core::MonoTime{1h + time};
}

std::vector<Due> due(Deadlines& deadlines, std::chrono::nanoseconds time) {
    std::vector<Due> found;
    deadlines.take_due(at(time), found);
    return found;
}

} // namespace

TEST_CASE("deadline table: what is due comes in the order of the deadlines, once") {
    Deadlines deadlines(at(0s));
    deadlines.set(kA, DeadlineKind::Silence, at(3s), kOne);
    deadlines.set(kA, DeadlineKind::Standby, at(1s), kTwo);
    deadlines.set(kB, DeadlineKind::Silence, at(2s), kOne);
    CHECK(due(deadlines, 999ms).empty());
    CHECK(*deadlines.next_due() <= at(1s));
    auto const found = due(deadlines, 3s);
    REQUIRE(found.size() == 3);
    CHECK(found[0].server == kA);
    CHECK(found[0].kind == DeadlineKind::Standby);
    CHECK(found[0].about == kTwo);
    CHECK(found[1].server == kB);
    CHECK(found[2].server == kA);
    CHECK(due(deadlines, 1h).empty());
    CHECK(deadlines.size() == 0);
    CHECK_FALSE(deadlines.next_due());
    CHECK_FALSE(deadlines.at(kA, DeadlineKind::Silence));
}

TEST_CASE("deadline table: setting one again moves it, and changes what it is about") {
    Deadlines deadlines(at(0s));
    deadlines.set(kA, DeadlineKind::Silence, at(1s), kOne);
    deadlines.set(kA, DeadlineKind::Silence, at(5s), kTwo);
    CHECK(deadlines.size() == 1);
    CHECK(*deadlines.at(kA, DeadlineKind::Silence) == at(5s));
    CHECK(due(deadlines, 4s).empty());
    deadlines.set(kA, DeadlineKind::Silence, at(4500ms), kTwo);
    auto const found = due(deadlines, 4500ms);
    REQUIRE(found.size() == 1);
    CHECK(found[0].about == kTwo);
}

TEST_CASE("deadline table: one in the past is due at once") {
    Deadlines deadlines(at(10s));
    deadlines.set(kA, DeadlineKind::Wake, at(1s), kOne);
    CHECK(*deadlines.next_due() <= at(10s));
    CHECK(due(deadlines, 10s).size() == 1);
}

TEST_CASE("deadline table: what was cleared or forgotten does not come, nor for a newcomer") {
    Deadlines deadlines(at(0s));
    deadlines.clear(kA, DeadlineKind::Wake); // none there
    deadlines.forget(kA);
    deadlines.set(kA, DeadlineKind::Silence, at(1s), kOne);
    deadlines.set(kA, DeadlineKind::Standby, at(1s), kOne);
    deadlines.clear(kA, DeadlineKind::Silence);
    deadlines.clear(kA, DeadlineKind::Silence);
    CHECK(deadlines.size() == 1);
    deadlines.forget(kA);
    CHECK(deadlines.size() == 0);
    deadlines.set(kB, DeadlineKind::WakeTurn, at(2s), kTwo); // in the place of the forgotten one
    auto const found = due(deadlines, 3s);
    REQUIRE(found.size() == 1);
    CHECK(found[0].server == kB);
    CHECK(found[0].kind == DeadlineKind::WakeTurn);
}
