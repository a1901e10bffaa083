#include "agent/wire.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <limits>

namespace cpm::agent {
namespace {

namespace json = boost::json;

constexpr std::size_t kLongestText = 512;
constexpr std::size_t kLongestLine = 200;
constexpr std::size_t kDepth = 16;
constexpr std::size_t kLongestId = 64;
constexpr std::size_t kMostWakes = 32;
constexpr std::uint64_t kAnyNumber = std::numeric_limits<std::uint64_t>::max();

/// Reads an object field by field and remembers the first fault.
class Reader {
  public:
    Reader(json::object const& object, std::string prefix)
        : object_(object)
        , prefix_(std::move(prefix)) {}

    std::string text(std::string_view name) {
        auto const* value = object_.if_contains(name);
        if (value && value->is_string() && value->get_string().size() <= kLongestText)
            return std::string(value->get_string());
        fault(name, "must be a text");
        return {};
    }

    std::uint64_t number(std::string_view name, std::uint64_t low, std::uint64_t high) {
        auto const* value = object_.if_contains(name);
        auto const* whole = value ? value->if_int64() : nullptr;
        auto const* large = value ? value->if_uint64() : nullptr;
        if (whole && *whole >= 0 && static_cast<std::uint64_t>(*whole) >= low &&
            static_cast<std::uint64_t>(*whole) <= high)
            return static_cast<std::uint64_t>(*whole);
        if (large && *large >= low && *large <= high)
            return *large;
        fault(name, fmt::format("must be a whole number from {} to {}", low, high));
        return low;
    }

    template <class T>
    T word(std::string_view name, std::optional<T> (*parse)(std::string_view)) {
        auto const* value = object_.if_contains(name);
        auto const parsed =
            value && value->is_string() ? parse(value->get_string()) : std::optional<T>{};
        if (!parsed)
            fault(name, "is not one of its words");
        return parsed.value_or(T{});
    }

    json::object const* object(std::string_view name) {
        auto const* value = object_.if_contains(name);
        return value ? value->if_object() : nullptr;
    }

    bool has(std::string_view name) const {
        auto const* value = object_.if_contains(name);
        return value && !value->is_null();
    }

    void fault(std::string_view name, std::string_view message) {
        if (fault_.empty())
            fault_ = fmt::format("{}{}: {}", prefix_, name, message);
    }

    std::string const& fault() const { return fault_; }

  private:
    json::object const& object_;
    std::string prefix_;
    std::string fault_;
};

tl::expected<json::object, std::string> read_object(std::string_view body) {
    boost::system::error_code error;
    json::parse_options options;
    options.max_depth = kDepth;
    auto value = json::parse(json::string_view(body.data(), body.size()), error, {}, options);
    if (error || !value.is_object())
        return tl::make_unexpected("the answer is not a JSON object");
    return std::move(value.get_object());
}

std::optional<core::PowerStatus> parse_power(std::string_view text) {
    for (auto const status : {core::PowerStatus::On, core::PowerStatus::Off})
        if (core::to_string(status) == text)
            return status;
    return std::nullopt;
}

void check_token(Reader& reader, std::string_view token) {
    if (token.empty())
        reader.fault("agent_token", "must not be empty");
    for (char const c : token)
        if (c <= ' ' || c > '~')
            reader.fault("agent_token", "must be fit for a header");
}

Head read_head(Reader& reader) {
    return {
        .epoch = reader.number("epoch", 0, kAnyNumber),
        .sequence = reader.number("sequence", 0, kAnyNumber),
        .hash = reader.text("hash"),
        .mac = reader.text("mac"),
        .signature = reader.has("signature") ? reader.text("signature") : std::string{},
    };
}

SignedOrder read_order(Reader& reader) {
    return {
        .method = reader.word<OffMethod>("method", parse_off_method),
        .server_id = reader.text("server_id"),
        .identity =
            {.boot_id = reader.text("boot_id"),
             .resume_count = reader.number("resume_count", 0, kAnyNumber)},
        .nonce = reader.text("nonce"),
        .sequence = reader.number("sequence", 1, kAnyNumber),
        .signature = reader.text("signature"),
    };
}

/// Reads a part that is an object of its own; its fault becomes the whole's.
template <class T>
T read_part(Reader& reader, std::string_view name, T (*read)(Reader&)) {
    auto const* object = reader.object(name);
    if (!object) {
        reader.fault(name, "must be an object");
        return {};
    }
    Reader part(*object, fmt::format("{}.", name));
    auto value = read(part);
    if (!part.fault().empty())
        reader.fault(name, part.fault());
    return value;
}

int digit_of(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/// So many bytes in hexadecimal digits, with a colon between two if `colons`; false: other text.
template <std::size_t N>
bool read_bytes(std::string_view text, bool colons, std::array<std::uint8_t, N>& bytes) {
    std::size_t const step = colons ? 3 : 2;
    if (text.size() != N * step - (colons ? 1 : 0))
        return false;
    for (std::size_t i = 0; i < N; ++i) {
        int const high = digit_of(text[i * step]);
        int const low = digit_of(text[i * step + 1]);
        if (high < 0 || low < 0 || (colons && i > 0 && text[i * step - 1] != ':'))
            return false;
        bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return true;
}

std::optional<wol::SecureOn> read_password(std::string_view text) {
    std::array<std::uint8_t, 6> six{};
    if (read_bytes(text, false, six))
        return wol::SecureOn{six};
    std::array<std::uint8_t, 4> four{};
    if (read_bytes(text, false, four))
        return wol::SecureOn{four};
    return std::nullopt;
}

WakeAsk read_wake(Reader& reader) {
    WakeAsk ask;
    // A group's address, or none, is no card's.
    bool const is_card = read_bytes(reader.text("mac_address"), true, ask.mac) &&
                         (ask.mac[0] & 1) == 0 && ask.mac != wol::MacAddress{};
    if (!is_card)
        reader.fault("mac_address", "must be a network card's address like 52:54:00:12:34:56");
    if (reader.has("secure_on")) {
        ask.secure_on = read_password(reader.text("secure_on"));
        if (!ask.secure_on)
            reader.fault("secure_on", "must be 4 or 6 bytes in hexadecimal digits");
    }
    ask.id = reader.text("id");
    if (ask.id.empty() || ask.id.size() > kLongestId)
        reader.fault("id", "must be 1 to 64 bytes long");
    return ask;
}

std::vector<WakeAsk> read_wakes(Reader& reader, json::object const& answer) {
    auto const* list = answer.at("wake").if_array();
    if (!list || list->size() > kMostWakes) {
        reader.fault("wake", "must be a list of at most 32");
        return {};
    }
    std::vector<WakeAsk> wakes;
    for (auto const& item : *list) {
        json::object const none;
        Reader part(item.is_object() ? item.get_object() : none, "");
        wakes.push_back(read_wake(part));
        if (!part.fault().empty())
            reader.fault("wake", part.fault());
    }
    return wakes;
}

/// Bytes of the UTF-8 character at the start of `text`; 0: there is none.
std::size_t character_size(std::string_view text) {
    auto const lead = static_cast<unsigned char>(text.front());
    // Of three bytes only those whose second one may be any; of four none.
    bool const is_three = lead > 0xe0 && lead < 0xf0 && lead != 0xed;
    std::size_t const size = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : is_three ? 3 : 0;
    if (size > text.size())
        return 0;
    for (std::size_t i = 1; i < size; ++i)
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80)
            return 0;
    return size;
}

} // namespace

std::string heartbeat_body(Report const& report, std::string_view agent_version) {
    json::object body{
        {"status", core::to_string(report.status)},
        {"boot_id", report.identity.boot_id},
        {"resume_count", report.identity.resume_count},
        {"report", report.report.count()},
        {"nonce", report.nonce},
        {"uptime_seconds", std::chrono::duration_cast<seconds>(report.report).count()},
        {"agent_version", agent_version},
    };
    if (report.leaving != Leaving::No)
        body["leaving"] = to_string(report.leaving);
    if (!report.blocked_by.empty())
        body["blocked_by"] = report.blocked_by;
    if (!report.woke.empty())
        body["woke"] = json::array(report.woke.begin(), report.woke.end());
    if (auto const& head = report.witness)
        body["witness"] = json::object{
            {"epoch", head->epoch},
            {"sequence", head->sequence},
            {"hash", head->hash},
            {"mac", head->mac},
        };
    return json::serialize(body);
}

std::string manifest_target(ManifestQuestion const& question) {
    return fmt::format(
        "/agent/v1/manifest?wait={}&nonce={}&boot_id={}&resume_count={}",
        question.wait.count(),
        question.nonce,
        question.identity.boot_id,
        question.identity.resume_count
    );
}

std::string join_body(JoinQuestion const& question, std::string_view agent_version) {
    json::array macs;
    for (auto const& mac : question.mac_addresses)
        macs.emplace_back(mac);
    return json::serialize(json::object{
        {"join_token", question.join_token},
        {"hostname", question.hostname},
        {"mac_addresses", std::move(macs)},
        {"agent_version", agent_version},
        {"os", question.os},
    });
}

tl::expected<Answer, std::string> parse_answer(std::string_view body) {
    auto const object = read_object(body);
    if (!object)
        return tl::make_unexpected(object.error());
    Reader reader(*object, "");
    Answer answer;
    answer.power_status = reader.word<core::PowerStatus>("power_status", parse_power);
    answer.heartbeat_interval = seconds(reader.number("heartbeat_interval_seconds", 1, 3600));
    answer.manifest_version = reader.text("manifest_version");
    answer.head = read_part<Head>(reader, "head", read_head);
    if (reader.has("order"))
        answer.order = read_part<SignedOrder>(reader, "order", read_order);
    if (reader.has("notice"))
        answer.notice = plain_line(reader.text("notice"));
    if (reader.has("wake"))
        answer.wake = read_wakes(reader, *object);
    for (char const c : answer.manifest_version)
        if (c <= ' ' || c > '~' || c == '"') // it goes back as If-None-Match
            reader.fault("manifest_version", "must be fit for a header");
    if (!reader.fault().empty())
        return tl::make_unexpected(reader.fault());
    return answer;
}

tl::expected<std::string, std::string> parse_token_answer(std::string_view body) {
    auto const object = read_object(body);
    if (!object)
        return tl::make_unexpected(object.error());
    Reader reader(*object, "");
    auto token = reader.text("agent_token");
    check_token(reader, token);
    if (!reader.fault().empty())
        return tl::make_unexpected(reader.fault());
    return token;
}

tl::expected<JoinAnswer, std::string> parse_join_answer(std::string_view body) {
    auto const object = read_object(body);
    if (!object)
        return tl::make_unexpected(object.error());
    Reader reader(*object, "");
    JoinAnswer answer{
        .server_id = reader.text("server_id"),
        .agent_token = reader.text("agent_token"),
        .order_key = reader.text("order_key"),
    };
    if (!OrderKey::parse(answer.order_key))
        reader.fault("order_key", "must be an Ed25519 public key in base64");
    check_token(reader, answer.agent_token);
    if (!reader.fault().empty())
        return tl::make_unexpected(reader.fault());
    return answer;
}

std::string problem_detail(std::string_view body) {
    auto const object = read_object(body);
    auto const* detail = object ? object->if_contains("detail") : nullptr;
    return detail && detail->is_string() ? plain_line(detail->get_string()) : std::string{};
}

bool is_throttled(std::string_view body) {
    auto const object = read_object(body);
    auto const* type = object ? object->if_contains("type") : nullptr;
    return type && *type == "/problems/throttled";
}

std::string plain_line(std::string_view text) {
    std::string line;
    while (!text.empty() && line.size() < kLongestLine) {
        auto const size = character_size(text);
        if (line.size() + size > kLongestLine)
            break;
        auto const lead = static_cast<unsigned char>(text.front());
        if (size == 0)
            line += '?';
        else if (lead < 0x20 || lead == 0x7f)
            line += ' ';
        else
            line += text.substr(0, size);
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return line;
}

} // namespace cpm::agent
