// The texts of the small values: statuses, identifiers, addresses, times. Written one way, read
// strictly.
#include "core/hex.hpp"
#include "core/identity.hpp"
#include "core/ids.hpp"
#include "core/mac_address.hpp"
#include "core/status.hpp"
#include "core/time.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <charconv>

namespace cpm::core {
namespace {

constexpr int hex_digit(char c, bool upper_too) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (upper_too && c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

template <class Status, std::size_t N>
std::optional<Status> parse_status(std::string_view text, Status const (&all)[N]) {
    for (auto status : all)
        if (to_string(status) == text)
            return status;
    return std::nullopt;
}

/// Reads exactly `digits` decimal digits at the front of `text` and removes them.
bool take_number(std::string_view& text, std::size_t digits, int& value) {
    if (text.size() < digits)
        return false;
    auto const [end, error] = std::from_chars(text.data(), text.data() + digits, value);
    if (error != std::errc{} || end != text.data() + digits || text[0] == '-')
        return false;
    text.remove_prefix(digits);
    return true;
}

bool take(std::string_view& text, char c) {
    if (text.empty() || text[0] != c)
        return false;
    text.remove_prefix(1);
    return true;
}

/// The optional fraction of a second, in microseconds (further digits are cut).
bool take_fraction(std::string_view& text, std::chrono::microseconds& fraction) {
    if (!take(text, '.'))
        return true;
    std::size_t digits = 0;
    std::int64_t micros = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
        if (digits < 6)
            micros = micros * 10 + (text[digits] - '0');
        ++digits;
    }
    if (digits == 0)
        return false;
    for (auto scale = digits; scale < 6; ++scale)
        micros *= 10;
    fraction = std::chrono::microseconds{micros};
    text.remove_prefix(digits);
    return true;
}

/// "Z" or "+09:00".
bool take_offset(std::string_view& text, std::chrono::minutes& offset) {
    if (take(text, 'Z') || take(text, 'z'))
        return true;
    bool const west = !text.empty() && text[0] == '-';
    int hours = 0;
    int minutes = 0;
    if (!take(text, west ? '-' : '+') || !take_number(text, 2, hours) || !take(text, ':') ||
        !take_number(text, 2, minutes) || hours > 23 || minutes > 59)
        return false;
    offset = std::chrono::minutes{(hours * 60 + minutes) * (west ? -1 : 1)};
    return true;
}

} // namespace

std::optional<PowerStatus> parse_power_status(std::string_view text) {
    return parse_status(text, {PowerStatus::Off, PowerStatus::On});
}

std::optional<HeartbeatStatus> parse_heartbeat_status(std::string_view text) {
    return parse_status(
        text, {HeartbeatStatus::None, HeartbeatStatus::On, HeartbeatStatus::Stopping}
    );
}

std::optional<ActualStatus> parse_actual_status(std::string_view text) {
    using enum ActualStatus;
    return parse_status(
        text,
        {Unknown,
         On,
         Off,
         Starting,
         StartupDelayed,
         BeforeStopping,
         Stopping,
         ShutdownDelayed,
         ManuallyOn,
         Crashed}
    );
}

std::string to_string(ServerId id) {
    return fmt::format("srv_{:016x}", id.value);
}

std::optional<ServerId> parse_server_id(std::string_view text) {
    if (text.size() != 20 || !text.starts_with("srv_"))
        return std::nullopt;
    ServerId id;
    for (char c : text.substr(4)) {
        int const digit = hex_digit(c, false);
        if (digit < 0)
            return std::nullopt;
        id.value = id.value * 16 + static_cast<unsigned>(digit);
    }
    if (!id)
        return std::nullopt;
    return id;
}

std::string to_string(BootId const& id) {
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text += '-';
        text += "0123456789abcdef"[id.bytes[i] >> 4];
        text += "0123456789abcdef"[id.bytes[i] & 15];
    }
    return text;
}

std::optional<BootId> parse_boot_id(std::string_view text) {
    if (text.size() != 36)
        return std::nullopt;
    BootId id;
    std::size_t at = 0;
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-')
            return std::nullopt;
        int const high = hex_digit(text[at++], false);
        int const low = hex_digit(text[at++], false);
        if (high < 0 || low < 0)
            return std::nullopt;
        id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return id;
}

std::string to_string(MacAddress const& mac) {
    return fmt::format("{:02x}", fmt::join(mac.bytes, ":"));
}

std::optional<MacAddress> parse_mac_address(std::string_view text) {
    // Digits per group: 52:54:00:12:34:56 and 52-54-…: 2; 5254.0012.3456: 4; 525400123456: 12.
    std::size_t const group = text.size() == 17   ? 2
                              : text.size() == 14 ? 4
                              : text.size() == 12 ? 12
                                                  : 0;
    if (group == 0)
        return std::nullopt;
    char const separator = group == 12 ? '\0' : text[group];
    if (group == 2 && separator != ':' && separator != '-')
        return std::nullopt;
    if (group == 4 && separator != '.')
        return std::nullopt;

    MacAddress mac;
    std::size_t digits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (group != 12 && i % (group + 1) == group) {
            if (text[i] != separator)
                return std::nullopt;
            continue;
        }
        int const digit = hex_digit(text[i], true);
        if (digit < 0)
            return std::nullopt;
        auto& byte = mac.bytes[digits++ / 2];
        byte = static_cast<std::uint8_t>(byte * 16 + digit);
    }
    bool const is_group_address = (mac.bytes[0] & 1) != 0;
    if (is_group_address || mac == MacAddress{})
        return std::nullopt;
    return mac;
}

std::string to_rfc3339(WallTime time) {
    auto const whole = std::chrono::floor<std::chrono::seconds>(time);
    auto const millis = std::chrono::duration_cast<milliseconds>(time - whole).count();
    return fmt::format(
        "{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(whole.time_since_epoch().count()), millis
    );
}

Result<WallTime> parse_rfc3339(std::string_view text) {
    auto const expected = [] {
        return fail(ErrorCode::Malformed, "a time is written like 2026-11-21T09:00:00Z (RFC 3339)");
    };
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) ||
        !take(text, '-') || !take_number(text, 2, day) || !(take(text, 'T') || take(text, 't')) ||
        !take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute) ||
        !take(text, ':') || !take_number(text, 2, second))
        return expected();
    std::chrono::microseconds fraction{};
    std::chrono::minutes offset{};
    if (!take_fraction(text, fraction) || !take_offset(text, offset) || !text.empty())
        return expected();
    std::chrono::year_month_day const date{
        std::chrono::year{year},
        std::chrono::month(static_cast<unsigned>(month)),
        std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 59)
        return expected();
    return std::chrono::sys_days{date} + std::chrono::hours{hour} + std::chrono::minutes{minute} +
           seconds{second} + fraction - offset;
}

std::string to_hex(Hash const& hash) {
    return fmt::format("{:02x}", fmt::join(hash, ""));
}

std::optional<Hash> parse_hash(std::string_view hex) {
    Hash hash{};
    if (hex.size() != 2 * hash.size())
        return std::nullopt;
    for (std::size_t i = 0; i < hash.size(); ++i) {
        int const high = hex_digit(hex[2 * i], false);
        int const low = hex_digit(hex[2 * i + 1], false);
        if (high < 0 || low < 0)
            return std::nullopt;
        hash[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return hash;
}

} // namespace cpm::core
