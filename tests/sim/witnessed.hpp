#pragma once

#include "agent/values.hpp"
#include "core/identity.hpp"
#include "core/ids.hpp"
#include "core/status.hpp"
#include "tests/sim/schedule.hpp"

#include <string>
#include <vector>

namespace cpm::sim {

// What the judge saw of machines and people, whatever the log says.

/// A Stopping that a machine said in its present boot, since its last resume.
struct Asked {
    std::string nonce;
    Time at{};
    bool after_hooks = false;
    std::uint64_t order = 0;      ///< the request of the order that answered it
    bool of_a_lesser_log = false; ///< the answer: it ended before one that was heard of
};

/// A packet that a relay was asked for.
struct Wake {
    wol::MacAddress mac{};
    enum { Asked, Sent, Said } is{};
};

/// Of one boot or resume of a machine.
struct Witnessed {
    std::string boot;
    std::uint64_t resumes = 0;
    std::vector<Asked> asked{};
    bool hooks_ended = false;
    bool hook_failed = false;                                 ///< a required one
    core::HeartbeatStatus said = core::HeartbeatStatus::None; ///< in its last report
    agent::Leaving leaving = agent::Leaving::No;              ///< in the same
    bool told_on = false;                                     ///< since then
    std::pair<std::uint64_t, std::uint64_t> head{}; ///< the highest it heard of: epoch, sequence
    std::map<std::string, Wake> wakes{};            ///< by their ids
};

/// A report as its machine made it.
struct Said {
    core::BootIdentity identity;
    std::uint64_t report = 0;
    core::HeartbeatStatus status{};
    std::string blocked_by;
    agent::Leaving leaving{};
};

/// What a person was told under an Idempotency-Key.
struct Told {
    std::string body;
    core::ServerId server;
    core::PowerStatus target{};
    core::Sequence sequence;
};

} // namespace cpm::sim
