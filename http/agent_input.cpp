#include "http/agent_input.hpp"

#include "http/json_input.hpp"
#include "http/query_input.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <limits>
#include <utility>

namespace cpm::http {
namespace {

constexpr std::uint64_t kAnyNumber = std::numeric_limits<std::uint64_t>::max();
constexpr std::size_t kMaxBlockedBy = 200;
constexpr std::size_t kMaxVersion = 64;
constexpr std::size_t kMaxHostname = 253;
constexpr std::size_t kMaxOs = 200;
constexpr std::size_t kMaxToken = 200;
constexpr std::size_t kMaxMacs = 32;
constexpr std::uint64_t kMaxWait = 60;

constexpr std::string_view kBootIdNotation =
    "a lower-case UUID, as /proc/sys/kernel/random/boot_id";
constexpr std::string_view kNonceNotation =
    "16 to 32 random bytes in base64url without padding (22 to 43 characters)";

std::optional<core::HeartbeatStatus> parse_reported(std::string_view text) {
    auto const status = core::parse_heartbeat_status(text);
    return status == core::HeartbeatStatus::None ? std::nullopt : status;
}

/// From a body or a query alike: both have parsed() and number().
template <class Input>
std::optional<core::BootIdentity> read_identity(Input& input) {
    auto const boot_id = input.parsed("boot_id", core::parse_boot_id, kBootIdNotation);
    auto const resume_count = input.number("resume_count", 0, kAnyNumber);
    if (!boot_id || !resume_count)
        return std::nullopt;
    return core::BootIdentity{*boot_id, *resume_count};
}

/// Fields that change no status, but are part of the interface: here only their form is checked.
void check_unused(Fields& fields) {
    fields.number("uptime_seconds", 0, kAnyNumber);
    fields.object("witness");
}

std::vector<core::MacAddress> read_macs(Fields& fields) {
    std::vector<core::MacAddress> macs;
    for (auto const& text : fields.texts("mac_addresses").value_or(std::vector<std::string>{})) {
        auto const mac = core::parse_mac_address(text);
        if (!mac) {
            fields.fault("mac_addresses", "must be network card addresses like 52:54:00:12:34:56");
            break;
        }
        if (std::ranges::count(macs, *mac) == 0)
            macs.push_back(*mac);
    }
    if (macs.size() > kMaxMacs)
        fields.fault("mac_addresses", "must be at most 32");
    return macs;
}

} // namespace

core::Result<core::Report> read_heartbeat(Request const& request) {
    auto const object = read_object(request.body);
    if (!object)
        return tl::make_unexpected(object.error());
    Faults faults;
    Fields fields(*object, faults, Nulls::AreAbsent);
    core::Report report;
    if (fields.require("status"))
        report.status = fields.parsed("status", parse_reported, "ON or Stopping")
                            .value_or(core::HeartbeatStatus::On);
    report.identity = read_identity(fields);
    report.report = fields.number("report", 0, kAnyNumber);
    report.nonce = fields.parsed("nonce", parse_nonce, kNonceNotation).value_or("");
    report.blocked_by = fields.line("blocked_by", kMaxBlockedBy).value_or("");
    report.leaving = fields.parsed("leaving", core::parse_leaving, "poweroff, reboot or suspend")
                         .value_or(core::Leaving::No);
    report.agent_version = fields.line("agent_version", kMaxVersion).value_or("");
    report.address = request.peer;
    report.woke = fields.texts("woke").value_or(std::vector<std::string>{});
    check_unused(fields);
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    return report;
}

core::Result<manager::JoinAgent> read_join(Request const& request) {
    auto const object = read_object(request.body);
    if (!object)
        return tl::make_unexpected(object.error());
    Faults faults;
    Fields fields(*object, faults, Nulls::AreAbsent);
    manager::JoinAgent command;
    if (fields.require("join_token"))
        command.join_token = fields.line("join_token", kMaxToken).value_or("");
    if (fields.require("hostname"))
        command.machine.hostname = fields.line("hostname", kMaxHostname).value_or("");
    if (fields.require("mac_addresses"))
        command.machine.mac_addresses = read_macs(fields);
    command.agent_version = fields.line("agent_version", kMaxVersion).value_or("");
    command.os = fields.line("os", kMaxOs).value_or("");
    command.address = request.peer;
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    return command;
}

core::Result<ManifestCall> read_manifest_call(Request const& request) {
    Faults faults;
    QueryFields query(request, faults);
    ManifestCall call;
    call.wait = core::seconds(query.number("wait", 0, kMaxWait).value_or(0));
    call.asker.identity = read_identity(query);
    call.asker.nonce = query.parsed("nonce", parse_nonce, kNonceNotation).value_or("");
    call.asker.way = core::OrderWay::Manifest;
    if (auto const fine = faults.result(); !fine)
        return tl::make_unexpected(fine.error());
    return call;
}

std::optional<std::string> parse_nonce(std::string_view text) {
    auto const is_digit = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '-' || c == '_';
    };
    // 4 characters hold 3 bytes, so a single one left over holds none.
    bool const fits = text.size() >= 22 && text.size() <= 43 && text.size() % 4 != 1;
    if (!fits || !std::ranges::all_of(text, is_digit))
        return std::nullopt;
    return std::string(text);
}

} // namespace cpm::http
