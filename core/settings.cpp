#include "core/settings.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <charconv>

namespace cpm::core {
namespace {

Result<void> read(std::string const& name, std::string_view text, bool& value) {
    if (text != "true" && text != "false")
        return invalid(name, "must be true or false");
    value = text == "true";
    return {};
}

Result<long long>
read_number(std::string const& name, std::string_view text, long long low, long long high) {
    long long number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number < low || number > high)
        return invalid(name, fmt::format("must be a whole number from {} to {}", low, high));
    return number;
}

/// A setting: its name in the API, how its value is read and how it is written.
struct Row {
    std::string_view name;
    Result<void> (*read)(Settings&, std::string const& name, std::string_view text);
    std::string (*write)(Settings const&);
};

template <auto Member, long long Low, long long High>
constexpr Row number_row(std::string_view name) {
    return {
        name,
        [](Settings& settings, std::string const& field, std::string_view text) -> Result<void> {
            auto const number = read_number(field, text, Low, High);
            if (!number)
                return tl::make_unexpected(number.error());
            auto& value = settings.*Member;
            value = static_cast<std::remove_reference_t<decltype(value)>>(*number);
            return {};
        },
        [](Settings const& settings) -> std::string {
            auto const& value = settings.*Member;
            if constexpr (requires { value.count(); })
                return std::to_string(value.count());
            else
                return std::to_string(value);
        },
    };
}

template <auto Member>
constexpr Row flag_row(std::string_view name) {
    return {
        name,
        [](Settings& settings, std::string const& field, std::string_view text) {
            return read(field, text, settings.*Member);
        },
        [](Settings const& settings) -> std::string { return settings.*Member ? "true" : "false"; },
    };
}

constexpr std::size_t kMaxTags = 64;
constexpr std::size_t kMaxTag = 64; // as long as a server's tag may be
constexpr std::uint64_t kMostServers = 100000;

Result<void> read_min_on(Settings& settings, std::string const& name, std::string_view text) {
    boost::json::error_code error;
    auto const value = boost::json::parse(text, error);
    auto const* object = error ? nullptr : value.if_object();
    if (!object || object->size() > kMaxTags)
        return invalid(
            name,
            fmt::format("must be an object of at most {} tags, as in {{\"gpu\": 2}}", kMaxTags)
        );
    std::map<std::string, std::uint32_t> read;
    for (auto const& [tag, least] : *object) {
        auto const number = least.is_number() ? least.to_number<std::uint64_t>(error) : 0;
        if (tag.empty() || tag.size() > kMaxTag)
            return invalid(name, fmt::format("a tag must be 1 to {} bytes long", kMaxTag));
        if (error || least.is_double() || number < 1 || number > kMostServers)
            return invalid(
                name,
                fmt::format(
                    "the number of {} must be a whole one from 1 to {}",
                    std::string_view(tag),
                    kMostServers
                )
            );
        read.emplace(tag, static_cast<std::uint32_t>(number));
    }
    settings.min_on = std::move(read);
    return {};
}

std::string write_min_on(Settings const& settings) {
    boost::json::object object;
    for (auto const& [tag, least] : settings.min_on)
        object[tag] = least;
    return boost::json::serialize(object);
}

constexpr Row kRows[] = {
    number_row<&Settings::heartbeat_interval, 1, 3600>("heartbeat_interval_seconds"),
    number_row<&Settings::missed_heartbeats, 1, 100>("missed_heartbeats"),
    number_row<&Settings::standby_time, 1, 86400>("standby_time_seconds"),
    flag_row<&Settings::release_standby_when_settled>("release_standby_when_settled"),
    number_row<&Settings::wake_stagger, 0, 60000>("wake_stagger_ms"),
    flag_row<&Settings::agents_over_plain_http>("agents_over_plain_http"),
    flag_row<&Settings::metrics_open>("metrics_open"),
    flag_row<&Settings::metrics_per_server>("metrics_per_server"),
    {"min_on", read_min_on, write_min_on},
    number_row<&Settings::confirm_above, 0, 10000>("confirm_above"),
    number_row<&Settings::session_idle, 60, 30 * 86400>("session_idle_seconds"),
    number_row<&Settings::session_lifetime, 60, 365 * 86400>("session_lifetime_seconds"),
    number_row<&Settings::heartbeat_retention, 1, 36500>("heartbeat_retention_days"),
    number_row<&Settings::heartbeat_retention_bytes, 1LL << 20, 1LL << 50>(
        "heartbeat_retention_bytes"
    ),
};

} // namespace

Result<void> apply(Settings& settings, SettingChange const& change) {
    for (auto const& row : kRows)
        if (row.name == change.first)
            return row.read(settings, change.first, change.second);
    return invalid(change.first, "is not a setting");
}

std::vector<SettingChange> list(Settings const& settings) {
    std::vector<SettingChange> values;
    for (auto const& row : kRows)
        values.emplace_back(std::string(row.name), row.write(settings));
    return values;
}

seconds heartbeat_interval(ServerConfig const& config, Settings const& settings) {
    return config.heartbeat_interval.value_or(settings.heartbeat_interval);
}

std::uint32_t missed_heartbeats(ServerConfig const& config, Settings const& settings) {
    return config.missed_heartbeats.value_or(settings.missed_heartbeats);
}

seconds heartbeat_timeout(ServerConfig const& config, Settings const& settings) {
    return heartbeat_interval(config, settings) * missed_heartbeats(config, settings);
}

seconds standby_time(ServerConfig const& config, Settings const& settings) {
    return config.standby_time.value_or(settings.standby_time);
}

} // namespace cpm::core
