#include "core/server_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace cpm::core {
namespace {

constexpr std::size_t kMaxName = 200;
constexpr std::size_t kMaxNote = 4000;
constexpr std::size_t kMaxTags = 32;
constexpr std::size_t kMaxTag = 64;
constexpr std::size_t kMaxMacs = 32;
constexpr std::size_t kMaxPorts = 8;
constexpr std::size_t kMaxInterface = 15; // IFNAMSIZ without its end

bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_ipv4(std::string_view text) {
    int parts = 0;
    while (true) {
        auto const dot = text.find('.');
        auto const part = text.substr(0, dot);
        std::uint8_t value = 0; // 256 and more do not fit
        auto const [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
        if (error != std::errc{} || end != part.data() + part.size() || part.size() > 3)
            return false;
        ++parts;
        if (dot == std::string_view::npos)
            return parts == 4;
        text.remove_prefix(dot + 1);
    }
}

class Faults {
  public:
    void add(bool faulty, std::string_view field, std::string_view message) {
        if (faulty)
            faults_.push_back({std::string(field), std::string(message)});
    }

    void range(std::optional<seconds> value, seconds low, seconds high, std::string_view field) {
        bool const faulty = value && (*value < low || *value > high);
        add(faulty, field, fmt::format("must be from {} to {} seconds", low.count(), high.count()));
    }

    Result<void> result() && {
        if (faults_.empty())
            return {};
        Error error{ErrorCode::Validation, faults_[0].field + ": " + faults_[0].message};
        error.fields = std::move(faults_);
        return tl::make_unexpected(std::move(error));
    }

  private:
    std::vector<FieldError> faults_;
};

} // namespace

std::string_view to_string(OffMethod method) {
    switch (method) {
    case OffMethod::PowerOff: return "poweroff";
    case OffMethod::Suspend: return "suspend";
    case OffMethod::Hibernate: return "hibernate";
    }
    return "";
}

std::optional<OffMethod> parse_off_method(std::string_view text) {
    for (auto method : {OffMethod::PowerOff, OffMethod::Suspend, OffMethod::Hibernate})
        if (to_string(method) == text)
            return method;
    return std::nullopt;
}

Result<void> validate(ServerConfig const& config) {
    using namespace std::chrono_literals;
    Faults faults;
    faults.add(config.name.empty(), "name", "is required");
    faults.add(config.name.size() > kMaxName, "name", "must be at most 200 bytes long");
    faults.add(has_control(config.name), "name", "must not contain control characters");
    faults.add(config.note.size() > kMaxNote, "note", "must be at most 4000 bytes long");
    faults.add(config.tags.size() > kMaxTags, "tags", "must be at most 32");
    for (auto const& tag : config.tags)
        faults.add(
            tag.empty() || tag.size() > kMaxTag || has_control(tag),
            "tags",
            "each must be 1 to 64 bytes long, without control characters"
        );
    faults.add(config.mac_addresses.size() > kMaxMacs, "mac_addresses", "must be at most 32");
    for (std::size_t i = 0; i < config.mac_addresses.size(); ++i)
        faults.add(
            std::ranges::count(config.mac_addresses, config.mac_addresses[i]) > 1,
            "mac_addresses",
            fmt::format("{} is there twice", to_string(config.mac_addresses[i]))
        );
    faults.range(config.heartbeat_interval, 1s, 1h, "heartbeat_interval_seconds");
    faults.range(config.standby_time, 1s, 24h, "standby_time_seconds");
    auto const missed = config.missed_heartbeats.value_or(1);
    faults.add(missed < 1 || missed > 100, "missed_heartbeats", "must be from 1 to 100");
    auto const& wake = config.wake;
    faults.add(
        !wake.broadcast_address.empty() && !is_ipv4(wake.broadcast_address),
        "wake.broadcast_address",
        "must be an IPv4 address like 192.0.2.255"
    );
    faults.add(wake.ports.size() > kMaxPorts, "wake.ports", "must be at most 8");
    faults.add(std::ranges::count(wake.ports, 0) > 0, "wake.ports", "must be from 1 to 65535");
    faults.add(
        wake.interface.size() > kMaxInterface || has_control(wake.interface),
        "wake.interface",
        "must be a network interface's name"
    );
    return std::move(faults).result();
}

} // namespace cpm::core
