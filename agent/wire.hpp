#pragma once

#include "agent/order_check.hpp"
#include "agent/values.hpp"
#include "core/status.hpp"
#include "wol/magic_packet.hpp"

#include <tl/expected.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The bodies of HTTP 3.3 as text: what the agent says, and what it reads. No I/O.
namespace cpm::agent {

/// One heartbeat.
struct Report {
    core::HeartbeatStatus status = core::HeartbeatStatus::On;
    BootIdentity identity{};
    microseconds report{}; ///< CLOCK_BOOTTIME; rises from report to report
    std::string nonce{};
    std::string blocked_by{}; ///< empty: nothing keeps the machine from going down
    Leaving leaving = Leaving::No;
    std::optional<Head> witness{};
    std::vector<std::string> woke{}; ///< wakes it was asked for and has sent
};

/// A magic packet to be sent for another server on this machine's segment.
struct WakeAsk {
    wol::MacAddress mac{};
    std::optional<wol::SecureOn> secure_on{};
    std::string id{};
};

/// The answer to a heartbeat or a manifest call.
struct Answer {
    core::PowerStatus power_status = core::PowerStatus::On;
    seconds heartbeat_interval{10}; ///< 1 s to 1 h
    std::string manifest_version{};
    Head head{};
    std::optional<SignedOrder> order{};
    std::string notice{};
    std::vector<WakeAsk> wake{}; ///< at most 32
};

/// A held manifest call.
struct ManifestQuestion {
    BootIdentity identity{};
    std::string nonce{};
    std::string known_version{}; ///< held until it is another than this
    seconds wait{};              ///< at most 60 s
};

/// What a machine says of itself when it joins.
struct JoinQuestion {
    std::string join_token{};
    std::string hostname{};
    std::vector<std::string> mac_addresses{};
    std::string os{};
};

/// What a join gives.
struct JoinAnswer {
    std::string server_id{};
    std::string agent_token{};
    std::string order_key{};
};

std::string heartbeat_body(Report const& report, std::string_view agent_version);
std::string manifest_target(ManifestQuestion const& question);
std::string join_body(JoinQuestion const& question, std::string_view agent_version);

/// The error names the field, or says that this is no JSON; anything wrong anywhere makes the whole
/// answer one that was not given.
tl::expected<Answer, std::string> parse_answer(std::string_view body);
tl::expected<JoinAnswer, std::string> parse_join_answer(std::string_view body);
/// The token that a rotation gives.
tl::expected<std::string, std::string> parse_token_answer(std::string_view body);

/// The "detail" of a problem answer (RFC 9457), for people; empty when there is none.
std::string problem_detail(std::string_view body);

/// Whether a problem answer says that this agent reports too often, which is no sign of a manager
/// that has too much to do.
bool is_throttled(std::string_view body);

/// One line as the manager takes it in `blocked_by`: control characters become spaces, what is not
/// UTF-8 a question mark, and it is cut to 200 bytes.
std::string plain_line(std::string_view text);

} // namespace cpm::agent
