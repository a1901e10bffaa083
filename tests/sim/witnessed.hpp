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
    std::uint64_t order = 0; ///< the request of the order that answered it
};

/// Of one boot or resume of a machine.
struct Witnessed {
    std::string boot;
    std::uint64_t resumes = 0;
    std::vector<Asked> asked;
    bool hooks_ended = false;
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
