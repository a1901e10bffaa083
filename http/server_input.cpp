#include "http/server_input.hpp"

#include <algorithm>
#include <utility>

namespace cpm::http {
namespace {

using core::ServerConfig;

// Longer texts are refused by the domain, which names the limit; these only bound what is read.
constexpr std::size_t kMaxText = 64 * 1024;
constexpr std::string_view kMacNotation = "network card addresses like 52:54:00:12:34:56";

template <class Value, class Member>
void set(ServerEdit& edit, std::optional<Value> value, Member member) {
    if (value)
        edit.changes.emplace_back([member, value = std::move(*value)](ServerConfig& config) {
            config.*member = value;
        });
}

template <class Value, class Member>
void set_wake(ServerEdit& edit, std::optional<Value> value, Member member) {
    if (value)
        edit.changes.emplace_back([member, value = std::move(*value)](ServerConfig& config) {
            config.wake.*member = value;
        });
}

/// A number that null resets to the default.
template <class Value>
void set_or_reset(
    ServerEdit& edit,
    Fields& fields,
    std::string_view name,
    std::uint64_t high,
    std::optional<Value> ServerConfig::*member
) {
    if (fields.is_null(name))
        edit.changes.emplace_back([member](ServerConfig& config) { (config.*member).reset(); });
    else if (auto const number = fields.number(name, 1, high))
        set(edit, std::optional(Value(*number)), member);
}

std::optional<std::vector<core::MacAddress>> read_macs(Fields& fields) {
    auto const texts = fields.texts("mac_addresses");
    if (!texts)
        return std::nullopt;
    std::vector<core::MacAddress> macs;
    for (auto const& text : *texts) {
        auto const mac = core::parse_mac_address(text);
        if (!mac) {
            fields.fault("mac_addresses", "must be " + std::string(kMacNotation));
            return std::nullopt;
        }
        macs.push_back(*mac);
    }
    return macs;
}

void read_secure_on(ServerEdit& edit, Fields& wake) {
    if (wake.is_null("secure_on"))
        edit.secure_on = "";
    else
        edit.secure_on =
            wake.parsed("secure_on", parse_secure_on, "4 or 6 bytes in hexadecimal digits");
}

void read_wake(ServerEdit& edit, boost::json::object const& object, Faults& faults) {
    Fields wake(object, faults, Nulls::AreValues, "wake.");
    using core::WakeSettings;
    auto broadcast_address = wake.text("broadcast_address", kMaxText);
    auto interface = wake.text("interface", kMaxText);
    set_wake(edit, std::move(broadcast_address), &WakeSettings::broadcast_address);
    set_wake(edit, std::move(interface), &WakeSettings::interface);
    if (auto const numbers = wake.numbers("ports", 1, 65535)) {
        std::vector<std::uint16_t> ports;
        for (auto const number : *numbers)
            ports.push_back(static_cast<std::uint16_t>(number));
        set_wake(edit, std::optional(std::move(ports)), &WakeSettings::ports);
    }
    read_secure_on(edit, wake);
    wake.refuse_unknown();
}

} // namespace

void ServerEdit::operator()(ServerConfig& config) const {
    for (auto const& change : changes)
        change(config);
}

ServerEdit read_server_edit(Fields& fields, Faults& faults) {
    ServerEdit edit;
    set(edit, fields.text("name", kMaxText), &ServerConfig::name);
    set(edit, read_macs(fields), &ServerConfig::mac_addresses);
    set(edit, fields.texts("tags"), &ServerConfig::tags);
    set(edit, fields.text("note", kMaxText), &ServerConfig::note);
    set_or_reset(
        edit, fields, "heartbeat_interval_seconds", 3600, &ServerConfig::heartbeat_interval
    );
    set_or_reset(edit, fields, "standby_time_seconds", 86400, &ServerConfig::standby_time);
    set_or_reset(edit, fields, "missed_heartbeats", 100, &ServerConfig::missed_heartbeats);
    auto const method =
        fields.parsed("off_method", core::parse_off_method, "poweroff, suspend or hibernate");
    set(edit, method, &ServerConfig::off_method);
    set(edit, fields.flag("protected"), &ServerConfig::is_protected);
    set(edit, fields.flag("allow_unsigned"), &ServerConfig::allow_unsigned);
    if (auto const* wake = fields.object("wake"))
        read_wake(edit, *wake, faults);
    fields.refuse_unknown();
    return edit;
}

std::optional<std::string> parse_secure_on(std::string_view text) {
    std::string digits;
    bool const is_grouped = text.size() == 11 || text.size() == 17;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        if (is_grouped && i % 3 == 2) {
            if ((c != ':' && c != '-') || c != text[2])
                return std::nullopt;
        } else if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))
            digits += c;
        else if (c >= 'A' && c <= 'F')
            digits += static_cast<char>(c - 'A' + 'a');
        else
            return std::nullopt;
    }
    if (digits.size() != 8 && digits.size() != 12)
        return std::nullopt;
    return digits;
}

} // namespace cpm::http
