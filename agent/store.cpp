#include "agent/store.hpp"

#include "agent/files.hpp"
#include "agent/order_check.hpp"
#include "agent/tls.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <fmt/format.h>

#include <array>

namespace cpm::agent {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr auto kCredentials = "credentials.json";
constexpr auto kHead = "head.json";
constexpr auto kMarker = "state.json";

constexpr std::array kTrusts{Trust::Plain, Trust::Pinned, Trust::System};
constexpr std::array<std::string_view, 3> kTrustWords{"plain", "pinned", "system"};
constexpr std::array<std::string_view, 3> kSaidWords{"ON", "Stopping", "Acted"};

template <std::size_t N>
std::size_t index_of(std::array<std::string_view, N> const& words, std::string_view word) {
    for (std::size_t i = 0; i < N; ++i)
        if (words[i] == word)
            return i;
    throw std::invalid_argument("unknown word");
}

/// Boost.JSON's at() and value_to throw; what the agent wrote itself is read in one go, and any
/// fault is the same fault: the file is not what the agent wrote.
template <class T>
std::optional<T> read_as(std::string const& text, T (*read)(json::object const&)) {
    try {
        return read(json::parse(text).as_object());
    } catch (std::exception const&) {
        return std::nullopt;
    }
}

std::string text_in(json::object const& object, char const* name) {
    return json::value_to<std::string>(object.at(name));
}

/// 0 when there is none.
seconds seconds_in(json::object const& object, char const* name) {
    auto const* const found = object.if_contains(name);
    return seconds(found ? json::value_to<std::int64_t>(*found) : 0);
}

Credentials read_credentials(json::object const& object) {
    return {
        .manager_url = text_in(object, "manager_url"),
        .trust = kTrusts[index_of(kTrustWords, text_in(object, "trust"))],
        .ca_certificate = text_in(object, "ca_certificate"),
        .server_id = text_in(object, "server_id"),
        .agent_token = text_in(object, "agent_token"),
        .previous_token = text_in(object, "previous_token"),
        .order_key = text_in(object, "order_key"),
        .mac_addresses = json::value_to<std::vector<std::string>>(object.at("mac_addresses")),
        .join_id = text_in(object, "join_id"),
        .token_since = seconds_in(object, "token_since"),
    };
}

/// Whether they fit together: nobody else may be believed than the join said.
bool are_usable(Credentials const& credentials) {
    auto const url = parse_url(credentials.manager_url);
    if (!url || !OrderKey::parse(credentials.order_key) ||
        url->secure == (credentials.trust == Trust::Plain))
        return false;
    if (credentials.trust != Trust::Pinned)
        return true;
    try {
        (void)make_tls_context(credentials.ca_certificate);
        return !credentials.ca_certificate.empty(); // empty would be: whom the system trusts
    } catch (std::exception const&) {
        return false;
    }
}

json::object head_json(Head const& head) {
    return {
        {"epoch", head.epoch},
        {"sequence", head.sequence},
        {"hash", head.hash},
        {"mac", head.mac},
        {"signature", head.signature},
    };
}

Head read_head(json::object const& object) {
    return {
        .epoch = json::value_to<std::uint64_t>(object.at("epoch")),
        .sequence = json::value_to<std::uint64_t>(object.at("sequence")),
        .hash = text_in(object, "hash"),
        .mac = text_in(object, "mac"),
        .signature = text_in(object, "signature"),
    };
}

Marker read_marker(json::object const& object) {
    Marker marker;
    auto& memory = marker.memory;
    memory.identity.boot_id = text_in(object, "boot_id");
    memory.identity.resume_count = json::value_to<std::uint64_t>(object.at("resume_count"));
    memory.said = static_cast<Memory::Said>(index_of(kSaidWords, text_in(object, "said")));
    memory.request = json::value_to<std::uint64_t>(object.at("request"));
    memory.failed = text_in(object, "failed");
    memory.last_report = microseconds(json::value_to<std::int64_t>(object.at("report")));
    if (auto const* head = object.if_contains("head"))
        memory.head = read_head(head->as_object());
    marker.suspended = microseconds(json::value_to<std::int64_t>(object.at("suspended")));
    return marker;
}

/// What was kept, and by the agent of which join.
template <class T>
struct Kept {
    std::string join_id;
    T what;
};

Kept<Marker> read_kept_marker(json::object const& object) {
    return {text_in(object, "join_id"), read_marker(object)};
}

Kept<Head> read_kept_head(json::object const& object) {
    return {text_in(object, "join_id"), read_head(object)};
}

} // namespace

tl::expected<std::optional<Credentials>, std::string> load_credentials(fs::path const& state) {
    auto const file = state / kCredentials;
    std::error_code error;
    if (!fs::exists(file, error) && !error)
        return std::nullopt;
    auto const text = read_file(file);
    if (!text)
        return tl::make_unexpected(text.error());
    auto read = read_as(*text, read_credentials);
    if (!read || !are_usable(*read))
        return tl::make_unexpected(
            fmt::format("{}: is not what a join wrote: join again", file.string())
        );
    return read;
}

tl::expected<void, std::string>
save_credentials(fs::path const& state, Credentials const& credentials) {
    json::array macs;
    for (auto const& mac : credentials.mac_addresses)
        macs.emplace_back(mac);
    auto const trust = kTrustWords[static_cast<std::size_t>(credentials.trust)];
    json::object const object{
        {"manager_url", credentials.manager_url},
        {"trust", trust},
        {"ca_certificate", credentials.ca_certificate},
        {"server_id", credentials.server_id},
        {"agent_token", credentials.agent_token},
        {"previous_token", credentials.previous_token},
        {"order_key", credentials.order_key},
        {"mac_addresses", std::move(macs)},
        {"join_id", credentials.join_id},
        {"token_since", credentials.token_since.count()},
    };
    return write_file(state / kCredentials, json::serialize(object), Durability::Durable);
}

std::optional<Marker> load_marker(fs::path const& run, std::string_view join_id) {
    auto const text = read_file(run / kMarker);
    auto const kept = text ? read_as(*text, read_kept_marker) : std::nullopt;
    if (!kept || kept->join_id != join_id)
        return std::nullopt;
    return kept->what;
}

tl::expected<void, std::string>
save_marker(fs::path const& run, std::string_view join_id, Marker const& marker) {
    auto const& memory = marker.memory;
    json::object object{
        {"join_id", join_id},
        {"boot_id", memory.identity.boot_id},
        {"resume_count", memory.identity.resume_count},
        {"said", kSaidWords[static_cast<std::size_t>(memory.said)]},
        {"request", memory.request},
        {"failed", memory.failed},
        {"report", memory.last_report.count()},
        {"suspended", marker.suspended.count()},
    };
    if (memory.head)
        object["head"] = head_json(*memory.head);
    return write_file(run / kMarker, json::serialize(object), Durability::Volatile);
}

void drop_marker(fs::path const& run) {
    std::error_code ignored;
    fs::remove(run / kMarker, ignored);
}

tl::expected<std::optional<Head>, std::string>
load_head(fs::path const& state, std::string_view join_id) {
    auto const file = state / kHead;
    std::error_code error;
    if (fs::symlink_status(file, error).type() == fs::file_type::not_found)
        return std::nullopt;
    auto const text = read_file(file);
    auto const kept = text ? read_as(*text, read_kept_head) : std::nullopt;
    if (!kept)
        return tl::make_unexpected(fmt::format("{}: is damaged: join again", file.string()));
    if (kept->join_id != join_id)
        return std::nullopt;
    return kept->what;
}

tl::expected<void, std::string>
save_head(fs::path const& state, std::string_view join_id, Head const& head) {
    auto object = head_json(head);
    object["join_id"] = join_id;
    return write_file(state / kHead, json::serialize(object), Durability::Durable);
}

void drop_head(fs::path const& state) {
    std::error_code ignored;
    fs::remove(state / kHead, ignored);
}

tl::expected<void, std::string> drop_state(fs::path const& state) {
    std::error_code error;
    fs::remove(state / kCredentials, error);
    if (error)
        return tl::make_unexpected(
            fmt::format("{}: {}", (state / kCredentials).string(), error.message())
        );
    drop_head(state);
    return {};
}

} // namespace cpm::agent
