#pragma once

#include "core/ids.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace cpm::replay {

/// What cpm-replay verify checks.
enum class Check : std::uint8_t {
    Record,   ///< there is a record of each sequence, and it can be read
    Chain,    ///< each record carries the hash of the one before
    Range,    ///< what was compacted away is what its event says
    Witness,  ///< the log reaches its head witness, and has the same record there
    Index,    ///< the index lists each event with its server, and no others
    Table,    ///< what is kept beside the events can be read
    Snapshot, ///< a snapshot is what follows from the events
    Status,   ///< the recorded status is the one that follows from the events
};

constexpr std::string_view to_string(Check check) {
    switch (check) {
    case Check::Record: return "record";
    case Check::Chain: return "chain";
    case Check::Range: return "range";
    case Check::Witness: return "witness";
    case Check::Index: return "index";
    case Check::Table: return "table";
    case Check::Snapshot: return "snapshot";
    case Check::Status: return "status";
    }
    return "";
}

/// Something that is not as it was written or as it should be.
struct Fault {
    Check check{};
    core::Sequence first; ///< the event it concerns
    core::Sequence last;  ///< the last of several in a row, else `first`
    std::string text;     ///< plain English
};

/// Where faults go as they are found.
using FaultSink = std::function<void(Fault const&)>;

} // namespace cpm::replay
