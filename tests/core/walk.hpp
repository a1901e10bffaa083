#pragma once

#include "core/decide.hpp"
#include "core/fleet.hpp"
#include "core/manifest.hpp"
#include "core/record.hpp"
#include "tests/core/model/model.hpp"

#include <optional>
#include <string>
#include <vector>

/// Core and the model side by side: what happens to one happens to the other, and after each step
/// they must agree.
namespace walk {

enum class Kind {
    AskOn,
    AskOff,
    Report,
    Miss,
    MissOfEarlier, ///< the deadline of a heartbeat that others followed
    TimeUp,
    TimeUpOfEarlier, ///< the deadline of a request that is no longer the last
    Join,
    Reinstate,
    Start,
    Rollback, ///< is accepted
    Withdraw, ///< of the last request, which was taken at `Node::before_request`
};

enum class Who { Nobody, Recorded, Fresh, Replaced, ReplacedEarlier };
enum class Number { Absent, Old, New };

struct Input {
    Kind kind{};
    model::Sign sign{}; ///< of a Report, like all below
    Who who{};
    Number number{};
    bool blocked = false;
};
std::string to_string(Input const& input);

/// What happened so far, as a bystander notes it: not core's words for it, nor the model's.
struct History {
    bool off_stands = false;     ///< somebody asked for OFF, and nothing has overruled it since
    bool was_reporting = false;  ///< the server reported when that OFF was asked
    bool other_spoke = false;    ///< another identity than the one then known has reported since
    bool was_over = false;       ///< the manifest has said ON since
    std::optional<int> asked_of; ///< the identity then known
    model::Sign last_word = model::Sign::Silent; ///< the last report that counted
    bool silent_since = true;                    ///< it was missed
    bool unhindered = false; ///< it named no veto, and neither a start nor a join came since
    bool operator==(History const&) const = default;
};

/// Both sides as they stand.
struct Node {
    Node();

    cpm::core::Fleet fleet;
    cpm::core::Sequence head;
    model::Machine machine;
    History history;
    int next_identity = 1;

    cpm::core::Server const& server() const { return *fleet.find(kId); }
    cpm::core::ServerState const& state() const { return server().state; }
    /// Equal keys: no input can tell the nodes apart.
    std::string key() const;

    static constexpr cpm::core::ServerId kId{7};
};

/// What one input did.
struct Edge {
    Input input;
    cpm::core::ServerState before;
    std::vector<cpm::core::Event> events;
    History history_before;
    std::optional<int> speaker; ///< the identity that reported
};

/// Whether the input can happen here (a replaced identity needs one that was replaced).
bool is_possible(Node const& node, Input const& input);

/// Lets the input happen on both sides. `before_request` serves Withdraw alone. Returns what they
/// disagree in, or nothing.
std::string
step(Node& node, Input const& input, model::Rules rules, Node const& before_request, Edge& edge);

/// Where core breaks a sentence of status model 1.0 or 1.4 on this edge; or nothing.
std::string broken_sentence(Node const& after, Edge const& edge);

/// Where core tells any caller something else than the model does, or an order does not fit; or
/// nothing. `after` is left as it was.
std::string broken_manifest(Node& after);
/// The same for the answer to the report of this edge.
std::string broken_answer(Node& after, Edge const& edge);

/// The numbered identity: each odd one is a resume of the boot before it.
cpm::core::BootIdentity identity(int number);

} // namespace walk
