#pragma once

#include "core/event.hpp"
#include "tests/sim/schedule.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cpm::sim {

/// What the log says of one server, as far as the invariants need it: read from the events alone,
/// and by none of core's rules.
struct Book {
    struct Request {
        core::Sequence sequence;
        core::PowerStatus target{};
        bool was_reporting = false; ///< when it was made
        core::WallTime at{};
        core::seconds standby{};
        bool is_open = true;        ///< its standby time
        std::optional<Time> made{}; ///< none: it was found at a start
    };
    struct Order {
        core::Sequence sequence;
        core::Sequence request;
        core::BootIdentity identity;
        std::string nonce;
        Time given{};
    };
    struct Identity {
        core::BootIdentity identity;
        core::Sequence first; ///< heartbeat that counted
        std::optional<std::uint64_t> report;
    };
    /// A deadline that must become an event.
    struct Deadline {
        core::Sequence about;
        Time at{};
        core::seconds length{};
    };

    core::PowerStatus power = core::PowerStatus::Off;
    bool reporting = false; ///< a heartbeat came, and was not judged lost
    core::Sequence last_heartbeat;
    core::seconds timeout{}; ///< that the last heartbeat carries
    std::optional<core::BootIdentity> recorded;
    std::vector<Identity> identities; ///< since the last join
    /// The highest report of each identity that ever counted.
    std::map<core::BootIdentity, std::uint64_t> counted;
    std::optional<Request> request; ///< the one that stands
    std::map<core::Sequence, Request> requests;
    std::set<core::Sequence> taken_back; ///< of these
    std::deque<Order> orders;            ///< the last ones
    std::optional<Deadline> silence;
    std::optional<Deadline> standby;
    bool must_adopt = false; ///< it must follow in the decision under way

    Identity* find(core::BootIdentity const& identity);
};

} // namespace cpm::sim
