#pragma once

#include "agent/steps.hpp"
#include "agent/wire.hpp"
#include "core/decide.hpp"
#include "core/manifest.hpp"
#include "manager/agent_commands.hpp"
#include "manager/keys.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

namespace cpm::sim {

/// A call of an agent on its way. It is the body that HTTP 3.3 describes, as the agent made it.
struct Request {
    std::uint64_t number = 0; ///< of the run
    core::ServerId server{};  ///< whose token it carries
    core::Hash credential{};  ///< the hash of its token
    std::string address{};    ///< of the caller
    std::variant<agent::Report, agent::ManifestQuestion> question{};

    agent::Report const* report() const { return std::get_if<agent::Report>(&question); }
};

/// What comes back. `answer` counts with 200 alone.
struct Reply {
    int status = 200;
    agent::Answer answer{};
    std::string detail{};
};

using ReplyTo = std::function<void(std::shared_ptr<Reply const>)>;

// What the wire makes of both sides' values, by the product's own readers where a value has a form:
// what agent/wire.cpp and http/agent_input.cpp do by way of JSON.

/// None: the manager would answer 422.
std::optional<core::Report> as_manager_reads(agent::Report const& said, std::string const& address);
std::optional<core::Asker> as_manager_reads(agent::ManifestQuestion const& question);
/// The witness in a report, if its MAC is the manager's.
std::optional<eventstore::Head> witness_in(agent::Report const& said, manager::Keys const& keys);
std::shared_ptr<Reply const> as_agent_reads(
    manager::ManifestOutcome const& outcome, eventstore::Head const& head, manager::Keys const& keys
);
std::shared_ptr<Reply const> refusal(core::Error const& error);
agent::Outcome outcome_of(Reply const& reply);

} // namespace cpm::sim
