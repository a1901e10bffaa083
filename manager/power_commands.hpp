#pragma once

#include "core/decide.hpp"
#include "manager/step_up.hpp"
#include "manager/turn.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cpm::manager {

// Power requests of people (status model 1.4, HTTP 3.2). All guards are decided on the writer's
// thread, in the step of the request, so that two at once cannot both pass one.

struct RequestPower {
    struct Outcome {
        bool accepted = false;   ///< false: unchanged
        core::Sequence sequence; ///< of the request that holds now
    };
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    core::ServerId server;
    core::PowerStatus target{};
    bool include_manager = false;
    std::string confirm; ///< the server's name, for a protected one
};
core::Result<RequestPower::Outcome> decide(Turn& turn, RequestPower const& command);

/// The same for many, in one round: a decision for each, and one refusal does not stop the rest.
/// Fails as a whole with RolledBack, NotSignedIn, or Confirm (one PowerRefused, about no server).
struct RequestPowerOfMany {
    struct Item {
        core::ServerId server;
        core::Result<RequestPower::Outcome> outcome;
    };
    struct Outcome {
        std::vector<Item> items; ///< as the servers were named; of a tag, by name
    };
    static constexpr bool kRefusedFirst = true;
    core::Actor actor;
    core::PowerStatus target{};
    std::vector<core::ServerId> servers; ///< each once
    std::optional<std::string> tag;      ///< instead of them: all that have it now
    bool include_manager = false;
    Proof proof{};
};
core::Result<RequestPowerOfMany::Outcome> decide(Turn& turn, RequestPowerOfMany const& command);

} // namespace cpm::manager
