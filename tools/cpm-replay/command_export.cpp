// cpm-replay export, import: a log as lines of JSON with its records' raw bytes, and back again.
#include "core/hex.hpp"
#include "eventstore/codec.hpp"
#include "eventstore/hash.hpp"
#include "eventstore/log_import.hpp"
#include "projections/event_json.hpp"
#include "tools/cpm-replay/commands.hpp"
#include "tools/cpm-replay/copied.hpp"
#include "tools/cpm-replay/interruption.hpp"
#include "tools/cpm-replay/output.hpp"
#include "tools/cpm-replay/progress.hpp"
#include "tools/cpm-replay/walk.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <sodium.h>

namespace cpm::replay {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

using eventstore::Head;

constexpr int kBase64 = sodium_base64_VARIANT_ORIGINAL;
constexpr auto kFormat = "cpm-log-1";

std::string base64(std::span<std::uint8_t const> bytes) {
    std::string text(sodium_base64_encoded_len(bytes.size(), kBase64), '\0');
    sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kBase64);
    text.pop_back(); // its terminating zero
    return text;
}

std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text) {
    std::vector<std::uint8_t> bytes(text.size());
    std::size_t size = 0;
    if (sodium_base642bin(
            bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size, nullptr, kBase64
        ) != 0)
        return std::nullopt;
    bytes.resize(size);
    return bytes;
}

/// The first line: what is to be known of a log before its records.
struct Header {
    core::Hash log_id{};
    Head head;
};

json::object to_json(Header const& header) {
    return {
        {"format", kFormat},
        {"log_id", core::to_hex(header.log_id)},
        {"epoch", header.head.epoch},
        {"head", header.head.sequence.value},
        {"head_hash", core::to_hex(header.head.hash)},
    };
}

core::Result<Header> header_of(eventstore::EventReader const& log) {
    Header header{{}, log.head()};
    header.log_id = header.head.hash; // of an empty log
    auto const done = log.read({1}, {1}, [&](eventstore::StoredEvent const& stored) {
        if (auto const record = eventstore::decode(stored.bytes))
            header.log_id = record->previous;
        return false;
    });
    if (!done)
        return tl::make_unexpected(done.error());
    return header;
}

tl::unexpected<core::Error> wrong(std::uint64_t line, std::string_view what) {
    return core::fail(core::ErrorCode::Corrupt, fmt::format("line {}: {}", line, what));
}

/// The text of a member; none when there is no such text.
std::optional<std::string_view> text_at(json::value const& line, std::string_view name) {
    auto const* object = line.if_object();
    auto const* member = object ? object->if_contains(name) : nullptr;
    auto const* text = member ? member->if_string() : nullptr;
    return text ? std::optional(std::string_view(*text)) : std::nullopt;
}

std::optional<std::uint64_t> number_at(json::value const& line, std::string_view name) {
    auto const* object = line.if_object();
    auto const* member = object ? object->if_contains(name) : nullptr;
    json::error_code error;
    auto const number = member ? member->to_number<std::uint64_t>(error) : 0;
    return member && !error ? std::optional(number) : std::nullopt;
}

std::optional<Header> parse_header(std::string const& text) {
    json::error_code error;
    auto const line = json::parse(text, error);
    if (error || text_at(line, "format") != kFormat)
        return std::nullopt;
    auto const id = core::parse_hash(text_at(line, "log_id").value_or(""));
    auto const hash = core::parse_hash(text_at(line, "head_hash").value_or(""));
    auto const epoch = number_at(line, "epoch");
    auto const head = number_at(line, "head");
    if (!id || !hash || !epoch || !head)
        return std::nullopt;
    return Header{*id, {*epoch, {*head}, *hash}};
}

core::Result<void>
add_lines(std::istream& input, eventstore::LogImport& import, Header const& header) {
    Progress progress({1}, header.head.sequence, true);
    std::uint64_t number = 1;
    for (std::string text; std::getline(input, text);) {
        ++number;
        if (stop_requested())
            return core::fail(core::ErrorCode::Storage, "interrupted: nothing was made");
        json::error_code error;
        auto const line = json::parse(text, error);
        auto const record = error ? std::nullopt : text_at(line, "record");
        auto const bytes = record ? from_base64(*record) : std::nullopt;
        if (!bytes)
            return wrong(number, "it holds no \"record\" in base64");
        if (auto added = import.add(*bytes); !added)
            return wrong(number, added.error().detail);
        progress.reached({number_at(line, "sequence").value_or(1)});
    }
    return {};
}

core::Result<Header> import_from(std::istream& input, fs::path const& data) {
    std::string first;
    std::getline(input, first);
    auto const header = parse_header(first);
    if (!header)
        return wrong(1, "this is no export of cpm-replay");
    auto const import = eventstore::LogImport::begin(data, header->log_id, header->head.epoch);
    if (!import)
        return tl::make_unexpected(import.error());
    auto done = add_lines(input, **import, *header);
    if (done)
        done = (*import)->finish(header->head);
    if (!done)
        return tl::make_unexpected(done.error());
    return *header;
}

} // namespace

Outcome export_log(eventstore::EventReader const& log, Options const&) {
    auto const header = header_of(log);
    if (!header)
        return tl::make_unexpected(header.error());
    bool is_read = write(json::serialize(to_json(*header)) + '\n');
    auto const done = walk(log, {1}, header->head.sequence, true, [&](auto const& stored) {
        auto line = projections::to_json(stored.event, stored.hash);
        line["record"] = base64(stored.bytes);
        is_read = is_read && write(json::serialize(line) + '\n');
        return is_read;
    });
    if (!done)
        return tl::make_unexpected(done.error());
    return kFine;
}

Outcome import_log(Options const& options) {
    std::ifstream file;
    if (!options.path.empty()) {
        file.open(options.path);
        if (!file)
            return core::fail(core::ErrorCode::NotFound, options.path.string() + " cannot be read");
    }
    std::istream& input = options.path.empty() ? std::cin : file;
    auto const made = import_from(input, options.data_dir);
    if (!made)
        return tl::make_unexpected(made.error());
    tell_copied("imported into", options.data_dir, made->head, options.output);
    return kFine;
}

} // namespace cpm::replay
