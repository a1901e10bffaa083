// The power goes at 200 moments (event log 2.2), one in each life of a log, whose next life finds
// what the disk had: nothing that was acknowledged is missing, nothing is there twice, no gap.
//
// CPM_POWER_CUTS is their number, CPM_POWER_SEED the seed.
#include "eventstore/side_files.hpp"
#include "tests/eventstore/history.hpp"
#include "tests/eventstore/power_cut.hpp"
#include "tests/eventstore/rocksdb_files.hpp"
#include "tests/eventstore/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <optional>

using namespace cpm::core;
using namespace cpm::eventstore;
namespace fs = std::filesystem;

namespace {

std::uint64_t setting(char const* name, std::uint64_t otherwise) {
    char const* const text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// What somebody was promised, and what may be there although nobody was.
struct Promises {
    std::atomic<std::uint64_t> acknowledged = 0;
    std::atomic<std::uint64_t> attempted = 0;
};

// A log lives a little: some batches, some witnesses, a clean stop.
void live(RocksDbLog& log, Promises& promises, std::mt19937_64& random) {
    auto const batches = 2 + random() % 8;
    for (std::uint64_t i = 0; i < batches; ++i) {
        auto const count = 1 + random() % 4;
        promises.attempted = log.head().sequence.value + count;
        REQUIRE(append_history(log, count) == "");
        promises.acknowledged = log.head().sequence.value;
        if (random() % 2)
            REQUIRE(log.keep_witness());
    }
    REQUIRE(log.keep_witness());
}

struct Losses {
    std::uint64_t cuts = 0; ///< that lost anything
    std::uint64_t bytes = 0;
    std::uint64_t names = 0;
};

/// What one life finds, does, and leaves to the next.
class Lives {
  public:
    explicit Lives(std::mt19937_64& random)
        : random_(random) {
        fs::create_directory(root_);
    }

    void live_until_cut(Losses& losses) {
        auto const image = directory_.path() / ("disk-" + std::to_string(++life_));
        promises_.acknowledged = kept_;
        PowerCut power(root_, random_());
        auto const moment = random_() % (moments_ + 4);
        auto const rest = random_() % 2 ? PowerCut::Rest::Torn : PowerCut::Rest::Dropped;
        power.at(moment, rest, image, [&] { kept_ = promises_.acknowledged; });
        INFO("life ", life_, ", moment ", moment);
        live_on();
        power.now(); // unless it went before
        moments_ = power.moments();
        losses.cuts += power.lost().bytes + power.lost().names > 0;
        losses.bytes += power.lost().bytes;
        losses.names += power.lost().names;
        fs::remove_all(root_);
        root_ = image;
    }

    void live_on() {
        auto const opening = open_log(root_ / "data");
        REQUIRE_MESSAGE(opening.log, opening.why);
        auto const found = opening.log->head().sequence.value;
        CHECK(found >= kept_);
        CHECK(found <= promises_.attempted);
        REQUIRE(judge_history(*opening.log, found) == "");
        CHECK_FALSE(opening.log->rolled_back());
        CHECK_FALSE(opening.log->unconfirmed_from());
        promises_.acknowledged = found;
        live(*opening.log, promises_, random_);
    }

  private:
    TemporaryDirectory directory_{fast_place()};
    std::mt19937_64& random_;
    fs::path root_ = directory_.path() / "disk-0";
    Promises promises_;
    std::uint64_t kept_ = 0; ///< what was promised when the power went
    std::uint64_t moments_ = 60;
    std::uint64_t life_ = 0;
};

} // namespace

TEST_CASE("power: cut at 200 moments, the log has what was acknowledged, once, without a gap (2.2)"
) {
    auto const cuts = setting("CPM_POWER_CUTS", 200);
    auto const seed = setting("CPM_POWER_SEED", 20'261'122);
    MESSAGE(cuts, " power cuts, CPM_POWER_SEED=", seed);
    std::mt19937_64 random(seed);
    Losses losses;
    std::optional<Lives> lives;
    for (std::uint64_t cut = 0; cut < cuts; ++cut) {
        if (cut % 200 == 0)
            lives.emplace(random); // or reading would take ever longer
        lives->live_until_cut(losses);
        if (cut % 200 == 199 || cut + 1 == cuts)
            lives->live_on();
    }
    MESSAGE(losses.cuts, " cuts lost ", losses.bytes, " bytes and ", losses.names, " names");
    CHECK(losses.cuts > cuts / 4);
}
